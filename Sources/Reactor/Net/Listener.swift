import Glibc

/// A socket that takes connections.
///
/// Accepts wake one caller for each event, which hands on while connections are left. When the
/// process has no descriptor left, the listener rests before it asks the kernel again, so that a
/// loop around `accept` cannot spin.
package final class Listener {
  package let registration: Registration
  /// Until when the listener rests, in monotonic nanoseconds.
  @safe @exclusivity(unchecked) private var restsUntil: UInt64 = 0
  @safe @exclusivity(unchecked) package var site: UInt32 = 0

  /// How long a listener rests after the process ran out of descriptors or memory.
  package static let pause: UInt64 = 100_000_000

  package init(registration: Registration) { self.registration = registration }

  package var isOpen: Bool { registration.isLive }

  /// Takes one connection. `.done` carries its descriptor.
  ///
  /// Errors of the connection that was about to be taken (accept(2): ECONNABORTED, EPROTO, …) are
  /// counted and skipped. `.failed` is EMFILE, ENFILE, ENOBUFS, ENOMEM or EPERM: the listener
  /// stays as it was.
  package func accept(_ peer: inout SocketAddress, _ caller: Caller) -> Attempt {
    let driver = registration.driver
    guard isOpen else { return .ended(.closed) }
    var caller = caller
    if restsUntil != 0 || caller.reason == .timeout, let attempt = rest(&caller) { return attempt }
    let attempt = registration.attempt(.read, wanted: 0, caller) { fd in
      var tries = 0
      while true {
        let result = driver.kernel.accept(fd, &peer)
        if result >= 0 || result == -EAGAIN { return Int(result) }
        driver.metrics.acceptErrors &+= 1
        tries += 1
        guard Self.isOfOneConnection(-result), tries < 64 else { return Int(result) }
      }
    }
    if case .failed = attempt { restsUntil = driver.kernel.monotonic() + Self.pause }
    return attempt
  }

  /// Waits for the end of the rest. nil: it is over, and the caller may go on as `caller` says.
  private func rest(_ caller: inout Caller) -> Attempt? {
    let driver = registration.driver
    switch caller.reason {
    case .cancelled, .closed, .shutdown: return .ended(caller.reason)
    default: break
    }
    if driver.isShutDown { return .ended(.shutdown) }
    guard let waiter = unsafe caller.waiter else { return .ended(.timeout) }
    if caller.reason == .first { unsafe waiter.pointee.limit = caller.deadline }
    let limit = unsafe waiter.pointee.limit
    let now = driver.kernel.monotonic()
    if now < restsUntil {
      let queue = unsafe driver.readers(of: registration.io)
      if limit <= now {
        unsafe driver.leave(registration.io, .read, caller, queue)
        return .ended(.timeout)
      }
      unsafe driver.waits.rest(waiter, in: queue, until: restsUntil, limit: limit)
      return .parked
    }
    restsUntil = 0
    if caller.reason == .timeout, limit <= now { return .ended(.timeout) }
    // Woken by the end of the rest: it tries as if for the first time, within its own deadline.
    if caller.reason == .timeout {
      caller = unsafe Caller(waiter: waiter, reason: .first, deadline: limit)
    }
    return nil
  }

  private static func isOfOneConnection(_ code: Int32) -> Bool {
    switch code {
    case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
      EOPNOTSUPP, ENETUNREACH, ECONNRESET, ETIMEDOUT:
      true
    default: false
    }
  }

  package func close() { registration.close() }
}
