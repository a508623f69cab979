import Glibc
import Reactor

/// Socket options by the names that people know; values are integers (flags 0 or 1).
enum SocketOption {
  private static func find(_ name: String) -> (level: Int32, name: Int32)? {
    switch name {
    case "reuseaddr": (SOL_SOCKET, SO_REUSEADDR)
    case "reuseport": (SOL_SOCKET, SO_REUSEPORT)
    case "keepalive": (SOL_SOCKET, SO_KEEPALIVE)
    case "broadcast": (SOL_SOCKET, SO_BROADCAST)
    case "oobinline": (SOL_SOCKET, SO_OOBINLINE)
    case "sndbuf": (SOL_SOCKET, SO_SNDBUF)
    case "rcvbuf": (SOL_SOCKET, SO_RCVBUF)
    case "error": (SOL_SOCKET, SO_ERROR)
    case "type": (SOL_SOCKET, SO_TYPE)
    case "passcred": (SOL_SOCKET, SO_PASSCRED)
    case "linger": (SOL_SOCKET, SO_LINGER)
    case "nodelay": (Int32(IPPROTO_TCP), TCP_NODELAY)
    case "cork": (Int32(IPPROTO_TCP), TCP_CORK)
    case "keepidle": (Int32(IPPROTO_TCP), TCP_KEEPIDLE)
    case "keepintvl": (Int32(IPPROTO_TCP), TCP_KEEPINTVL)
    case "keepcnt": (Int32(IPPROTO_TCP), TCP_KEEPCNT)
    case "user_timeout": (Int32(IPPROTO_TCP), TCP_USER_TIMEOUT)
    case "ip_recverr": (Int32(IPPROTO_IP), IP_RECVERR)
    case "ip_ttl": (Int32(IPPROTO_IP), IP_TTL)
    case "ipv6_only": (Int32(IPPROTO_IPV6), IPV6_V6ONLY)
    default: nil
    }
  }

  private static func unknown(_ call: Call) -> Int32 {
    call.badArgument(1, "unknown socket option \"\(call.text(1))\"")
  }

  /// (…, name): the option's value. "linger" is in seconds, -1 when it is off.
  static func read(_ call: Call, fd: Int32) -> Int32 {
    let name = call.text(1)
    guard let option = find(name) else { return unknown(call) }
    var value: (Int32, Int32) = (0, 0)
    let result = unsafe withUnsafeMutableBytes(of: &value) {
      unsafe call.host.kernel.option(
        fd, level: option.level, name: option.name,
        UnsafeMutableRawBufferPointer(rebasing: $0[..<(name == "linger" ? 8 : 4)]))
    }
    if result < 0 { return call.fail(code: -result) }
    if name == "linger" { return call.answer(value.0 == 0 ? -1 : Int(value.1)) }
    return call.answer(Int(value.0))
  }

  /// (…, name, value): sets the option. "linger" takes seconds; a negative value turns it off.
  static func write(_ call: Call, fd: Int32) -> Int32 {
    let name = call.text(1)
    guard let option = find(name) else { return unknown(call) }
    guard let number = Int32(exactly: call.integer(2)) else {
      return call.badArgument(2, "value does not fit into 32 bits")
    }
    let value: (Int32, Int32) =
      name == "linger" ? (number < 0 ? 0 : 1, max(number, 0)) : (number, 0)
    let result = unsafe withUnsafeBytes(of: value) {
      unsafe call.host.kernel.setOption(
        fd, level: option.level, name: option.name,
        UnsafeRawBufferPointer(rebasing: $0[..<(name == "linger" ? 8 : 4)]))
    }
    return result < 0 ? call.fail(code: -result) : call.answer(true)
  }

  /// conn:option(name [, value]): reads without a value, sets with one.
  static func get(or valueIndex: Int, fd: Int32, _ call: Call) -> Int32 {
    call.isNil(valueIndex) ? read(call, fd: fd) : write(call, fd: fd)
  }
}
