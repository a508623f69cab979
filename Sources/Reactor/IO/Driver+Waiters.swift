/// Waiting in Swift, without Lua: a program makes waiters, lets them wait for readiness or time,
/// and takes those that were woken.
///
/// ```swift
/// let waiter = driver.makeWaiter()
/// while case .pending = registration.pollReadReady(waiter) {
///   repeat { try driver.turn() } while driver.nextWoken() == nil
/// }
/// ```
///
/// A waiter waits for one thing at a time. The driver of a `LuaHost` is the host's: its tasks are
/// what is woken there, and `nextWoken()` does not hand them out.
extension Driver {
  /// The tag of the waiters of Swift callers; the scheduler's tags are addresses of tasks.
  private static let tag: UInt = 0

  /// Makes a waiter. Free it with `freeWaiter(_:)`.
  public func makeWaiter() -> WaiterID {
    assertThread()
    return unsafe waits.id(of: waits.makeWaiter(tag: Self.tag))
  }

  /// Ends a waiter, which leaves every queue; a turn that it had goes to the next in line.
  /// Calling it again does nothing.
  public func freeWaiter(_ id: WaiterID) {
    if let waiter = unsafe waiter(id) { unsafe waits.freeWaiter(waiter) }
  }

  /// Takes the waiter that was woken first, and why; nil when there is none.
  ///
  /// `.ready`: make the same call again, it goes on where it was. With any other reason the wait
  /// is over, and the next call is a new one.
  public func nextWoken() -> (waiter: WaiterID, reason: WakeReason)? {
    assertThread()
    guard let first = unsafe waits.firstToRun(), unsafe first.pointee.tag == Self.tag,
      let waiter = unsafe waits.nextWoken()
    else { return nil }
    return unsafe (waits.id(of: waiter), waiter.pointee.reason)
  }

  /// Ends a wait, which `nextWoken()` then names with `.cancelled`.
  /// - Returns: whether there was one.
  @discardableResult
  public func cancel(_ id: WaiterID) -> Bool {
    guard let waiter = unsafe waiter(id) else { return false }
    return unsafe waits.cancel(waiter)
  }

  /// Waits until a time, in monotonic nanoseconds; `.ready` when it has come.
  /// Cost: one look at the clock.
  public func sleep(_ id: WaiterID, until deadline: UInt64) -> Poll<Void> {
    guard let waiter = unsafe waiter(id) else { return .ended(.closed) }
    guard unsafe waiter.pointee.state == .idle else { return .pending }
    if isShutDown { return .ended(.shutdown) }
    unsafe giveUpTurn(waiter)
    if deadline <= kernel.monotonic() { return .ready(()) }
    unsafe waits.park(waiter, deadline: deadline)
    return .pending
  }

  // MARK: Inside

  /// The waiter of a Swift caller that an id names.
  func waiter(_ id: WaiterID) -> WaiterPointer? {
    assertThread()
    guard let waiter = unsafe waits.waiter(id), unsafe waiter.pointee.tag == Self.tag else {
      return nil
    }
    return unsafe waiter
  }

  /// Leaves the queue in which the waiter was granted its turn, and passes the turn on.
  func giveUpTurn(_ waiter: WaiterPointer) {
    guard let queue = unsafe waiter.pointee.node.queue else { return }
    unsafe waits.finish(waiter)
    unsafe waits.grant(queue)
  }

  /// A deadline as the waits below take it: 0, do not wait, when it has passed.
  func limit(_ deadline: UInt64?) -> UInt64 {
    guard let deadline else { return .max }
    return deadline <= kernel.monotonic() ? 0 : deadline
  }
}
