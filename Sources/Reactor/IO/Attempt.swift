/// What an attempt at a transfer came to.
package enum Attempt {
  /// It went through; the value is the kernel's answer (bytes, a descriptor).
  case done(Int)
  /// The waiter is parked: try again when it is woken.
  case parked
  /// It failed with an errno.
  case failed(Int32)
  /// The wait ended without a result: timeout, cancelled, closed or shutdown.
  case ended(WakeReason)
}

/// The caller of an attempt: who it is, why it runs, and how long it may wait.
@safe
package struct Caller {
  package let waiter: WaiterPointer?
  /// `.first`, or why the wait that the last try began has ended.
  package let reason: WakeReason
  /// Monotonic nanoseconds; `UInt64.max` waits without a limit, 0 does not wait.
  package let deadline: UInt64

  package init(waiter: WaiterPointer?, reason: WakeReason, deadline: UInt64) {
    unsafe self.waiter = unsafe waiter
    self.reason = reason
    self.deadline = deadline
  }
}
