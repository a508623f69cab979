import Glibc

// Attempts at a transfer: try first, wait only after the kernel said that nothing is there.
extension Driver {
  /// What a transfer returns that moved a part and keeps its turn for the rest.
  static let partly = Int.min

  /// Runs `transfer` when the direction may be ready, and parks the caller when it is not.
  ///
  /// Callers of one direction take turns. `transfer` returns bytes or `-errno`; `-EAGAIN` clears
  /// the readiness and waits for the next event. `wanted`: how many bytes a full transfer has;
  /// fewer prove that a plain stream is drained, and save the call that would say so.
  /// `keepsTurn`: a call that moves bytes may be one of several, and leaves the queue by `leave`.
  @inline(__always)
  func attempt(
    _ io: ScheduledIOPointer, _ direction: Direction, wanted: Int, keepsTurn: Bool = false,
    _ caller: Caller, _ transfer: (Int32) -> Int
  ) -> Attempt {
    assertThread()
    let queue = unsafe direction == .read ? readers(of: io) : writers(of: io)
    switch caller.reason {
    case .first:
      if unsafe !io.pointee.traits.isDisjoint(with: .over) { return .ended(overReason) }
      if unsafe !queue.pointee.isEmpty || io.pointee.ready.isDisjoint(with: direction.mask) {
        return unsafe park(caller, queue)
      }
    case .ready: break
    default: return .ended(caller.reason)
    }
    let result = unsafe transfer(io.pointee.fd)
    if result >= 0 {
      if result < wanted { unsafe cameShort(io, direction, result) }
    } else if result == -Int(EAGAIN) || result == Self.partly {
      return unsafe nothingThere(io, direction, caller, queue, partly: result == Self.partly)
    }
    if unsafe !queue.pointee.isEmpty, !keepsTurn || result <= 0 {
      unsafe leave(io, direction, caller, queue)
    }
    return result >= 0 ? .done(result) : .failed(Int32(truncatingIfNeeded: -result))
  }

  /// Why no wait begins on a registration that is over.
  var overReason: WakeReason { isShutDown ? .shutdown : .closed }

  /// Gives up the caller's turn, and wakes the next when there is something left for it.
  func leave(
    _ io: ScheduledIOPointer, _ direction: Direction, _ caller: Caller, _ queue: WaitQueuePointer
  ) {
    if let waiter = unsafe caller.waiter { unsafe waits.finish(waiter) }
    if unsafe !io.pointee.ready.isDisjoint(with: direction.mask) { unsafe waits.grant(queue) }
  }

  /// Parks the caller in `queue`; one that must not wait gets `.ended(.timeout)`.
  /// A caller that waited before keeps the deadline of its first wait.
  func park(_ caller: Caller, _ queue: WaitQueuePointer) -> Attempt {
    guard let waiter = unsafe caller.waiter, caller.deadline != 0 else { return .ended(.timeout) }
    if caller.reason == .first { unsafe waiter.pointee.limit = caller.deadline }
    unsafe waits.park(waiter, in: queue, deadline: waiter.pointee.limit)
    return .parked
  }

  @inline(__always)
  private func cameShort(_ io: ScheduledIOPointer, _ direction: Direction, _ result: Int) {
    if direction == .read {
      // The end stays, also when its event has not been heard yet.
      return unsafe result > 0 ? io.noteShortRead() : io.noteEnd()
    }
    guard result > 0 else { return }
    if unsafe io.pointee.traits.contains(.shortWriteMeansFull) {
      unsafe io.pointee.ready.remove(.writable)
    }
  }

  @inline(never)
  func nothingThere(
    _ io: ScheduledIOPointer, _ direction: Direction, _ caller: Caller, _ queue: WaitQueuePointer,
    partly: Bool
  ) -> Attempt {
    if !partly {
      let closed = direction.mask.subtracting([.readable, .writable])
      if unsafe !io.pointee.ready.isDisjoint(with: closed) {
        metrics.spinsAvoided &+= 1
      }
      if caller.reason == .ready { metrics.spuriousWakeups &+= 1 }
    }
    if unsafe io.pointee.traits.contains(.alwaysReady) {
      // No event would end the wait.
      unsafe leave(io, direction, caller, queue)
      return .failed(EAGAIN)
    }
    unsafe io.pointee.ready.subtract(direction.mask)
    return unsafe park(caller, queue)
  }
}
