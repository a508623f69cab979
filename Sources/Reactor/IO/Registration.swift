import Glibc

/// The user's end of a registered descriptor: its readiness, and attempts that wait for it.
///
/// A registration never closes its descriptor. A copy of an ended one is harmless: every call
/// answers `.ended(.closed)`. The contract is that of tokio's `runtime::io::Registration`, with
/// any number of waiters for each direction, woken first come, first served.
@safe
public struct Registration {
  package let driver: Driver
  package let io: ScheduledIOPointer
  package let generation: UInt32

  /// Whether this registration has not been ended.
  public var isLive: Bool {
    unsafe io.pointee.generation == generation && io.pointee.traits.contains(.live)
  }

  /// Whether a wait for `asked` can end. Errors and hang-ups are reported to every registration.
  package func covers(_ asked: Interest) -> Bool {
    interest.union([.error, .closed]).isSuperset(of: asked)
  }

  /// The descriptor; -1 after the end, and when it was closed by others and its number names
  /// something else now.
  public var fd: Int32 { unsafe isLive ? io.pointee.fd : -1 }

  /// What the registration was made for.
  public var interest: Interest { unsafe isLive ? io.pointee.interest : [] }

  package var token: UInt64 { unsafe Token(slot: io.pointee.slot, generation: generation).rawValue }

  // MARK: Readiness

  /// Returns what is ready now of `interest`, or nil. Never waits, clears nothing, and makes no
  /// system call: what it knows is as new as the driver's last turn.
  public func readyEvent(_ interest: Interest) -> ReadyEvent? {
    guard isLive else { return nil }
    let ready = unsafe io.pointee.ready.intersection(interest.readyMask)
    return ready.isEmpty ? nil : event(ready)
  }

  /// Clears the readiness that `event` saw, in each direction that has not been reported anew
  /// since. An event of another registration, or of an ended one, clears nothing.
  ///
  /// Call it after an attempt that found nothing. That a direction is closed outlives the first
  /// such call, because data may stand before the end; an event that told of nothing else clears
  /// it too, so that a loop of attempts ends in waiting.
  /// - Returns: whether the event was of this registration.
  @discardableResult
  public func clearReadiness(_ event: ReadyEvent) -> Bool {
    guard isLive, event.token == token else { return false }
    if unsafe io.pointee.traits.contains(.alwaysReady) { return true }
    var clear: Ready = []
    if unsafe event.readGeneration == io.pointee.readGeneration {
      clear.formUnion([.readable, .priority, .failed, .readFailed])
      if event.ready.isDisjoint(with: clear) { clear.insert(.readClosed) }
    }
    if unsafe event.writeGeneration == io.pointee.writeGeneration {
      let own: Ready = [.writable, .failed, .writeFailed]
      clear.formUnion(own)
      if event.ready.isDisjoint(with: own) { clear.insert(.writeClosed) }
    }
    clear.formIntersection(event.ready)
    if !clear.isDisjoint(with: [.readClosed, .writeClosed]) { driver.metrics.spinsAvoided &+= 1 }
    unsafe io.pointee.ready.subtract(clear)
    return true
  }

  /// Waits for readiness of `interest`. `.done(bits)` carries the `Ready` that there is.
  package func readiness(_ interest: Interest, _ caller: Caller) -> Attempt {
    guard isLive else { return .ended(.closed) }
    switch caller.reason {
    case .timeout, .cancelled, .closed, .shutdown: return .ended(caller.reason)
    case .first, .ready: break
    }
    if unsafe !io.pointee.traits.isDisjoint(with: .over) { return .ended(driver.overReason) }
    let ready = unsafe io.pointee.ready.intersection(interest.readyMask)
    // A waiter that was woken answers even when somebody else was faster: the set may be empty.
    if !ready.isEmpty || caller.reason == .ready { return .done(Int(ready.rawValue)) }
    guard let waiter = unsafe caller.waiter, caller.deadline != 0 else { return .ended(.timeout) }
    let queue = unsafe driver.watchers(of: io)
    unsafe driver.waits.park(waiter, in: queue, mask: interest.readyMask, deadline: caller.deadline)
    return .parked
  }

  package func event(_ ready: Ready) -> ReadyEvent {
    unsafe ReadyEvent(
      ready: ready, readGeneration: io.pointee.readGeneration,
      writeGeneration: io.pointee.writeGeneration, token: token)
  }

  // MARK: Attempts

  /// Runs `transfer` when the direction may be ready, and parks the caller when it is not.
  /// `Driver.attempt` has the rules.
  package func attempt(
    _ direction: Direction, wanted: Int, _ caller: Caller, _ transfer: (Int32) -> Int
  ) -> Attempt {
    guard isLive else { return .ended(.closed) }
    return unsafe driver.attempt(io, direction, wanted: wanted, caller, transfer)
  }

  // MARK: The end

  /// Ends the registration: every waiter is woken with `.closed`. The descriptor stays open.
  /// Calling it again does nothing. Cost: one epoll_ctl(2).
  /// - Returns: 0, or the errno with which the kernel refused, for which all the same the
  ///   registration is ended.
  @discardableResult
  public func deregister() -> Int32 {
    guard isLive else { return 0 }
    return unsafe -driver.deregister(io)
  }

  /// Ends the registration and closes its descriptor. Calling it again does nothing.
  package func close() {
    if isLive { unsafe driver.close(io) }
  }
}
