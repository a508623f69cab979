import Glibc

/// What a program may set of a TCP socket, and what its connections take over. Source: tcp(7).
struct TCPOptions {
  var noDelay = false
  var isCorked = false
  var keepsAlive = false
  /// Seconds, seconds, and a number of probes.
  var keepIdle = TCPLimits.keepIdle
  var keepInterval = TCPLimits.keepInterval
  var keepCount = TCPLimits.keepCount
  /// Milliseconds that data may wait to be acknowledged; 0: as long as it is sent again.
  var userTimeout: UInt64 = 0
  var segmentLimit = Int(UInt16.max)
  /// Bytes.
  var sendRoom = TCPLimits.sendRoom
  var receiveRoom = TCPLimits.receiveRoom

  /// Reads an option at IPPROTO_TCP. nil: there is none of this name.
  func read(_ name: Int32, segment: Int?) -> Int32? {
    switch name {
    case TCP_NODELAY: noDelay ? 1 : 0
    case TCP_CORK: isCorked ? 1 : 0
    case TCP_MAXSEG: Int32(clamping: segment ?? TCPLimits.segmentDefault)
    case TCP_KEEPIDLE: Int32(clamping: keepIdle)
    case TCP_KEEPINTVL: Int32(clamping: keepInterval)
    case TCP_KEEPCNT: Int32(clamping: keepCount)
    case TCP_USER_TIMEOUT: Int32(clamping: userTimeout)
    default: nil
    }
  }

  /// - Returns: 0, `-EINVAL` for a value out of range, `-ENOPROTOOPT`.
  mutating func set(_ name: Int32, _ value: Int32) -> Int32 {
    switch name {
    case TCP_NODELAY: noDelay = value != 0
    case TCP_CORK: isCorked = value != 0
    case TCP_MAXSEG where (88...32_767).contains(value): segmentLimit = Int(value)
    case TCP_KEEPIDLE where (1...32_767).contains(value): keepIdle = UInt64(value)
    case TCP_KEEPINTVL where (1...32_767).contains(value): keepInterval = UInt64(value)
    case TCP_KEEPCNT where (1...127).contains(value): keepCount = Int(value)
    case TCP_USER_TIMEOUT where value >= 0: userTimeout = UInt64(value)
    case TCP_MAXSEG, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT: return -EINVAL
    default: return -ENOPROTOOPT
    }
    return 0
  }
}
