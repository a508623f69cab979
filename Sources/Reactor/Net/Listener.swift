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
  package static let rest: UInt64 = 100_000_000

  package init(registration: Registration) { self.registration = registration }

  package var isOpen: Bool { registration.isLive }

  /// Takes one connection. `.done` carries its descriptor.
  ///
  /// Errors of the connection that was about to be taken (accept(2): ECONNABORTED, EPROTO, …) are
  /// counted and skipped. `.failed` is EMFILE, ENFILE, ENOBUFS, ENOMEM or EPERM: the listener
  /// stays as it was.
  package func accept(_ peer: inout SocketAddress, _ caller: Caller) -> Attempt {
    let driver = registration.driver
    if restsUntil != 0, isOpen {
      guard let attempt = waitForRest(caller) else { return accept(&peer, again(caller)) }
      return attempt
    }
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
    if case .failed = attempt { restsUntil = driver.kernel.monotonic() + Self.rest }
    return attempt
  }

  /// nil when the rest is over.
  private func waitForRest(_ caller: Caller) -> Attempt? {
    let driver = registration.driver
    let now = driver.kernel.monotonic()
    switch caller.reason {
    case .cancelled, .closed, .shutdown: return .ended(caller.reason)
    default: break
    }
    guard now < restsUntil else {
      restsUntil = 0
      return nil
    }
    guard let waiter = unsafe caller.waiter, caller.deadline > now else { return .ended(.timeout) }
    unsafe driver.waits.park(waiter, deadline: min(restsUntil, caller.deadline))
    return .parked
  }

  /// The rest ended by its timer, which is not the caller's timeout: begin afresh.
  private func again(_ caller: Caller) -> Caller {
    unsafe Caller(waiter: caller.waiter, reason: .first, deadline: caller.deadline)
  }

  private static func isOfOneConnection(_ code: Int32) -> Bool {
    switch code {
    case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
      EOPNOTSUPP, ENETUNREACH, ECONNRESET, ETIMEDOUT:
      true
    default: false
    }
  }

  package func close() {
    guard isOpen else { return }
    let fd = registration.fd
    registration.deregister()
    _ = registration.driver.kernel.close(fd)
  }
}
