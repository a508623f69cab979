import Glibc

/// The registration in Swift, for waiters of `Driver.makeWaiter()`. The contract is that of
/// tokio's `Registration`; `.pending` stands for its `Poll::Pending`.
///
/// Deadlines are monotonic nanoseconds (`driver.kernel.monotonic()` is now); nil waits without a
/// limit, and a time that has passed does not wait. An id or a registration that is gone answers
/// `.ended(.closed)`. A waiter that waits already answers `.pending` to every call.
extension Registration {
  /// Waits for readiness of `interest`. Clears nothing. No system call.
  ///
  /// `.failed` with EINVAL: the registration was not made for all of `interest`.
  public func readiness(
    _ interest: Interest, _ waiter: WaiterID, deadline: UInt64? = nil
  ) -> Poll<ReadyEvent> {
    guard isLive, let pointer = unsafe driver.waiter(waiter) else { return .ended(.closed) }
    guard unsafe pointer.pointee.state == .idle else { return .pending }
    guard covers(interest) else { return .failed(SystemError(EINVAL, in: "readiness")) }
    unsafe driver.giveUpTurn(pointer)
    let caller = unsafe Caller(
      waiter: pointer, reason: .first, deadline: driver.limit(deadline))
    switch readiness(interest, caller) {
    case .done(let bits): return .ready(event(Ready(rawValue: UInt16(truncatingIfNeeded: bits))))
    case .parked: return .pending
    case .failed(let code): return .failed(SystemError(code, in: "readiness"))
    case .ended(let reason): return .ended(reason)
    }
  }

  /// Waits until a read may go on.
  public func pollReadReady(_ waiter: WaiterID, deadline: UInt64? = nil) -> Poll<ReadyEvent> {
    readiness(.read, waiter, deadline: deadline)
  }

  /// Waits until a write may go on.
  public func pollWriteReady(_ waiter: WaiterID, deadline: UInt64? = nil) -> Poll<ReadyEvent> {
    readiness(.write, waiter, deadline: deadline)
  }

  /// Runs `body` when the descriptor may be readable, and waits when `body` finds nothing.
  ///
  /// Readers take turns, first come, first served; whoever waits is woken alone, with `.ready`,
  /// and keeps the turn until it calls again.
  ///
  /// - Parameter wanted: the bytes of a full transfer. Fewer prove that a plain stream is drained,
  ///   which saves the call that would say so; 0 concludes nothing.
  /// - Parameter body: makes the call, such as `kernel.read`; bytes or `-errno`. `-EAGAIN` waits.
  public func readIO(
    _ waiter: WaiterID, deadline: UInt64? = nil, wanted: Int = 0, _ body: (Int32) -> Int
  ) -> Poll<Int> {
    transfer(.read, waiter, deadline, wanted, body)
  }

  /// Runs `body` when there may be room to write; otherwise as `readIO`.
  public func writeIO(
    _ waiter: WaiterID, deadline: UInt64? = nil, wanted: Int = 0, _ body: (Int32) -> Int
  ) -> Poll<Int> {
    transfer(.write, waiter, deadline, wanted, body)
  }

  /// Runs `body` once if `interest` is ready; never waits. `.pending`: it is not, or `body`
  /// returned `-EAGAIN`, which clears the readiness.
  public func tryIO(_ interest: Interest, _ body: (Int32) -> Int) -> Poll<Int> {
    guard isLive else { return .ended(.closed) }
    if driver.isShutDown { return .ended(.shutdown) }
    if unsafe io.pointee.traits.contains(.lost) { return .ended(.closed) }
    guard let event = readyEvent(interest) else { return .pending }
    let result = body(fd)
    if result == -Int(EAGAIN) {
      clearReadiness(event)
      return .pending
    }
    return outcome(result)
  }

  // MARK: Inside

  private func transfer(
    _ direction: Direction, _ id: WaiterID, _ deadline: UInt64?, _ wanted: Int,
    _ body: (Int32) -> Int
  ) -> Poll<Int> {
    guard isLive, let waiter = unsafe driver.waiter(id) else { return .ended(.closed) }
    guard unsafe waiter.pointee.state == .idle else { return .pending }
    let queue = unsafe direction == .read ? driver.readers(of: io) : driver.writers(of: io)
    let goesOn = unsafe waiter.pointee.node.queue == queue
    if !goesOn { unsafe driver.giveUpTurn(waiter) }
    // One that goes on keeps the deadline of its first call.
    let caller = unsafe Caller(
      waiter: waiter, reason: goesOn ? .ready : .first, deadline: driver.limit(deadline))
    let attempt = attempt(direction, wanted: wanted, caller) { fd in
      // The least integer means something of its own further down.
      max(body(fd), -Int(Int32.max))
    }
    if case .parked = attempt { return .pending }
    unsafe driver.giveUpTurn(waiter)
    switch attempt {
    case .done(let count): return .ready(count)
    case .failed(let code): return .failed(SystemError(code, in: name(direction)))
    case .ended(let reason): return .ended(reason)
    case .parked: return .pending
    }
  }

  private func outcome(_ result: Int) -> Poll<Int> {
    if result >= 0 { return .ready(result) }
    return .failed(SystemError(Int32(truncatingIfNeeded: result), in: "tryIO"))
  }

  private func name(_ direction: Direction) -> StaticString {
    direction == .read ? "readIO" : "writeIO"
  }
}
