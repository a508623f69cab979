import Glibc

/// The options at SOL_SOCKET that the sockets of IPv4 and IPv6 keep. Source: socket(7).
struct SocketOptions {
  var reusesAddress = false
  var reusesPort = false
  var keepsAlive = false
  var broadcasts = false
  /// Seconds; nil: off.
  var linger: Int32?
  /// IPV6_V6ONLY.
  var isIPv6Only = false
  /// Everything that is only remembered: by level and name.
  private var others: [Int64: Int32] = [:]

  /// Reads a plain option. nil: it is not one of these.
  func read(level: Int32, name: Int32) -> Int32? {
    switch (level, name) {
    case (SOL_SOCKET, SO_REUSEADDR): reusesAddress ? 1 : 0
    case (SOL_SOCKET, SO_REUSEPORT): reusesPort ? 1 : 0
    case (SOL_SOCKET, SO_KEEPALIVE): keepsAlive ? 1 : 0
    case (SOL_SOCKET, SO_BROADCAST): broadcasts ? 1 : 0
    case (Int32(IPPROTO_IPV6), IPV6_V6ONLY): isIPv6Only ? 1 : 0
    default: others[Self.key(level, name)] ?? Self.byDefault(level, name)
    }
  }

  /// Sets a plain option. False: it is not one of these.
  mutating func set(level: Int32, name: Int32, _ value: Int32) -> Bool {
    switch (level, name) {
    case (SOL_SOCKET, SO_REUSEADDR): reusesAddress = value != 0
    case (SOL_SOCKET, SO_REUSEPORT): reusesPort = value != 0
    case (SOL_SOCKET, SO_KEEPALIVE): keepsAlive = value != 0
    case (SOL_SOCKET, SO_BROADCAST): broadcasts = value != 0
    case (Int32(IPPROTO_IPV6), IPV6_V6ONLY): isIPv6Only = value != 0
    default:
      guard Self.byDefault(level, name) != nil else { return false }
      others[Self.key(level, name)] = value
    }
    return true
  }

  private static func key(_ level: Int32, _ name: Int32) -> Int64 {
    Int64(level) << 32 | Int64(name)
  }

  /// Options that change nothing here: what they say at first.
  private static func byDefault(_ level: Int32, _ name: Int32) -> Int32? {
    switch (level, name) {
    case (SOL_SOCKET, SO_OOBINLINE), (SOL_SOCKET, SO_DONTROUTE), (SOL_SOCKET, SO_PRIORITY),
      (SOL_SOCKET, SO_TIMESTAMP), (SOL_SOCKET, SO_PASSCRED), (SOL_SOCKET, SO_BUSY_POLL),
      (Int32(IPPROTO_IP), IP_RECVERR), (Int32(IPPROTO_IP), IP_TOS),
      (Int32(IPPROTO_IPV6), IPV6_RECVERR), (Int32(IPPROTO_IPV6), IPV6_TCLASS):
      0
    case (SOL_SOCKET, SO_RCVLOWAT), (SOL_SOCKET, SO_SNDLOWAT): 1
    case (Int32(IPPROTO_IP), IP_TTL), (Int32(IPPROTO_IPV6), IPV6_UNICAST_HOPS): 64
    default: nil
    }
  }
}
