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

  /// The descriptor, or -1 after the end.
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
  /// - Returns: whether the event was of this registration.
  @discardableResult
  public func clearReadiness(_ event: ReadyEvent) -> Bool {
    guard isLive, event.token == token else { return false }
    if unsafe io.pointee.traits.contains(.alwaysReady) { return true }
    var clear: Ready = []
    if unsafe event.readGeneration == io.pointee.readGeneration {
      clear.formUnion([.readable, .priority])
    }
    if unsafe event.writeGeneration == io.pointee.writeGeneration { clear.insert(.writable) }
    unsafe io.pointee.ready.subtract(clear.intersection(event.ready))
    return true
  }

  /// Waits for readiness of `interest`. `.done(bits)` carries the `Ready` that there is.
  package func readiness(_ interest: Interest, _ caller: Caller) -> Attempt {
    guard isLive else { return .ended(.closed) }
    switch caller.reason {
    case .timeout, .cancelled, .closed, .shutdown: return .ended(caller.reason)
    case .first, .ready: break
    }
    if unsafe io.pointee.traits.contains(.shutdown) { return .ended(.shutdown) }
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
  ///
  /// Callers of one direction take turns. `transfer` returns bytes or `-errno`; `-EAGAIN` clears
  /// the readiness and waits for the next event. `wanted`: how many bytes a full transfer has;
  /// fewer prove that a plain stream is drained, and save the call that would say so.
  @inline(__always)
  package func attempt(
    _ direction: Direction, wanted: Int, _ caller: Caller, _ transfer: (Int32) -> Int
  ) -> Attempt {
    guard isLive else { return .ended(.closed) }
    let queue = unsafe direction == .read ? driver.readers(of: io) : driver.writers(of: io)
    switch caller.reason {
    case .first:
      if unsafe io.pointee.traits.contains(.shutdown) { return .ended(.shutdown) }
      if unsafe !queue.pointee.isEmpty || io.pointee.ready.isDisjoint(with: direction.mask) {
        return unsafe park(caller, queue)
      }
    case .ready: break
    default: return .ended(caller.reason)
    }
    let result = unsafe transfer(io.pointee.fd)
    if result >= 0 {
      if result < wanted, result > 0 { drained(direction) }
    } else if result == -EAGAIN || result == Self.partly {
      return unsafe nothingThere(direction, caller, queue, partly: result == Self.partly)
    }
    unsafe leave(direction, caller, queue)
    return result >= 0 ? .done(result) : .failed(Int32(truncatingIfNeeded: -result))
  }

  /// Gives up the caller's turn, and wakes the next when there is something left for it.
  package func leave(_ direction: Direction, _ caller: Caller, _ queue: WaitQueuePointer) {
    guard unsafe !queue.pointee.isEmpty else { return }
    if let waiter = unsafe caller.waiter { unsafe driver.waits.finish(waiter) }
    if unsafe !io.pointee.ready.isDisjoint(with: direction.mask) { unsafe driver.waits.grant(queue) }
  }

  private func drained(_ direction: Direction) {
    let traits = unsafe io.pointee.traits
    if direction == .write {
      if traits.contains(.shortWriteMeansFull) { unsafe io.pointee.ready.remove(.writable) }
    } else if traits.contains(.shortReadMeansEmpty), unsafe !io.pointee.ready.contains(.priority) {
      // A read stops short at urgent data too: then more may be there.
      unsafe io.pointee.ready.remove(.readable)
    }
  }

  /// What a transfer returns that moved a part and keeps its turn for the rest.
  package static let partly = Int.min

  @inline(never)
  private func nothingThere(
    _ direction: Direction, _ caller: Caller, _ queue: WaitQueuePointer, partly: Bool
  ) -> Attempt {
    if !partly {
      let closed: Ready = [.readClosed, .writeClosed, .error]
      if unsafe !io.pointee.ready.intersection(direction.mask).isDisjoint(with: closed) {
        driver.metrics.spinsAvoided &+= 1
      }
      if caller.reason == .ready { driver.metrics.spuriousWakeups &+= 1 }
    }
    unsafe io.pointee.ready.subtract(direction.mask)
    return unsafe park(caller, queue)
  }

  /// Parks the caller in `queue`; one that must not wait gets `.ended(.timeout)`.
  /// A caller that waited before keeps the deadline of its first wait.
  package func park(_ caller: Caller, _ queue: WaitQueuePointer) -> Attempt {
    guard let waiter = unsafe caller.waiter, caller.deadline != 0 else { return .ended(.timeout) }
    let deadline = unsafe caller.reason == .first ? caller.deadline : waiter.pointee.deadline
    unsafe driver.waits.park(waiter, in: queue, deadline: deadline)
    return .parked
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
}
