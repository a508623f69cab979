import Glibc
import Reactor

/// What the sockets of IPv4 and IPv6 have in common: addresses and options.
class InternetSocket: OpenFile {
  let isIPv6: Bool
  /// Port 0: not bound.
  @safe @exclusivity(unchecked) final var local: Endpoint
  @safe @exclusivity(unchecked) final var options = SocketOptions()
  /// SO_ERROR: an error of the past, told once.
  @safe @exclusivity(unchecked) final var error: Int32 = 0

  init(node: Node, isIPv6: Bool) {
    self.isIPv6 = isIPv6
    local = Endpoint(isIPv6 ? .anyIPv6 : .anyIPv4, 0)
    super.init(node: node)
  }

  final var isBound: Bool { local.port != 0 }

  // MARK: Addresses

  /// Reads an address that a program gave. Fails with EINVAL (too short, or not for this socket)
  /// or EAFNOSUPPORT.
  final func endpoint(_ address: borrowing SocketAddress) -> Result<Endpoint, Errno> {
    let family = address.family
    let length = unsafe address.withUnsafeBytes { $0.count }
    guard length >= (isIPv6 ? 28 : 16) else {
      return .failure(
        Errno(code: isIPv6 && length >= 16 && family != AF_INET ? EAFNOSUPPORT : EINVAL))
    }
    guard family == (isIPv6 ? AF_INET6 : AF_INET), let endpoint = Endpoint(address) else {
      return .failure(Errno(code: EAFNOSUPPORT))
    }
    if options.isIPv6Only, endpoint.address.isIPv4 { return .failure(Errno(code: ENETUNREACH)) }
    return .success(endpoint)
  }

  /// Whether packets to `address` are for a socket that is bound to `local`.
  @inline(__always)
  final func accepts(_ address: InternetAddress) -> Bool {
    if local.address.isAny {
      return isIPv6 ? !options.isIPv6Only || !address.isIPv4 : address.isIPv4
    }
    return local.address == address
  }

  /// Whether two sockets would be meant by the same packets.
  final func overlaps(_ other: InternetSocket, at address: InternetAddress) -> Bool {
    switch (local.address.isAny, address.isAny) {
    case (false, false): local.address == address
    case (true, false): accepts(address)
    case (false, true): other.isIPv6 ? true : local.address.isIPv4
    case (true, true):
      isIPv6 == other.isIPv6 || !(isIPv6 ? self : other).options.isIPv6Only
    }
  }

  /// The peer of a connect, where the unspecified address means this computer.
  final func target(_ endpoint: Endpoint) -> Endpoint {
    guard endpoint.address.isAny else { return endpoint }
    return Endpoint(endpoint.address.isIPv4 ? .loopbackIPv4 : .loopbackIPv6, endpoint.port)
  }

  override func localAddress(_ address: inout SocketAddress) -> Int32 {
    address = local.socketAddress(isIPv6: isIPv6)
    return 0
  }

  override func listen(backlog: Int32) -> Int32 { -EOPNOTSUPP }

  override func accept(_ peer: inout SocketAddress, _ result: inout Int32) -> OpenFile? {
    result = -EOPNOTSUPP
    return nil
  }

  // MARK: Options

  /// SO_TYPE and SO_PROTOCOL.
  var type: Int32 { SocketType.stream }
  var protocolNumber: Int32 { Int32(IPPROTO_TCP) }
  /// SO_SNDBUF and SO_RCVBUF.
  var sendBuffer: Int32 { 0 }
  var receiveBuffer: Int32 { 0 }
  func setBuffer(send: Bool, _ value: Int32) {}

  override func option(
    level: Int32, name: Int32, _ value: UnsafeMutableRawBufferPointer
  ) -> Int32 {
    if level == SOL_SOCKET, name == SO_LINGER {
      let linger: (Int32, Int32) = (options.linger == nil ? 0 : 1, options.linger ?? 0)
      return unsafe value.store(linger)
    }
    guard let number = number(level: level, name: name) else { return -ENOPROTOOPT }
    return unsafe value.store(number)
  }

  private func number(level: Int32, name: Int32) -> Int32? {
    guard level == SOL_SOCKET else { return plainOption(level: level, name: name) }
    switch name {
    case SO_ERROR: return takeError() ?? 0
    case SO_TYPE: return type
    case SO_PROTOCOL: return protocolNumber
    case SO_DOMAIN: return isIPv6 ? AF_INET6 : AF_INET
    case SO_ACCEPTCONN: return kind == .listeningSocket ? 1 : 0
    case SO_SNDBUF: return sendBuffer
    case SO_RCVBUF: return receiveBuffer
    default: return plainOption(level: level, name: name)
    }
  }

  /// An option that is one number. nil: there is none of this name.
  func plainOption(level: Int32, name: Int32) -> Int32? { options.read(level: level, name: name) }

  override func setOption(level: Int32, name: Int32, _ value: UnsafeRawBufferPointer) -> Int32 {
    guard let number = unsafe value.loadInt32(at: 0) else { return -EINVAL }
    guard level == SOL_SOCKET else { return setPlainOption(level: level, name: name, number) }
    switch name {
    case SO_LINGER:
      guard let seconds = unsafe value.loadInt32(at: 4) else { return -EINVAL }
      options.linger = number == 0 ? nil : max(seconds, 0)
    case SO_SNDBUF: setBuffer(send: true, number)
    case SO_RCVBUF: setBuffer(send: false, number)
    case SO_ERROR, SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ACCEPTCONN: return -ENOPROTOOPT
    default: return setPlainOption(level: level, name: name, number)
    }
    return 0
  }

  func setPlainOption(level: Int32, name: Int32, _ value: Int32) -> Int32 {
    options.set(level: level, name: name, value) ? 0 : -ENOPROTOOPT
  }

  /// Tells an error once. nil: there is none.
  func takeError() -> Int32? {
    guard error != 0 else { return nil }
    defer { error = 0 }
    return error
  }
}

/// The kinds of sockets, as Linux numbers them.
enum SocketType {
  static let stream: Int32 = 1
  static let datagram: Int32 = 2
  static let seqpacket: Int32 = 5
}

extension UnsafeMutableRawBufferPointer {
  /// Copies as much of a value as fits, as getsockopt(2) does. Returns the bytes copied.
  func store<Value: BitwiseCopyable>(_ value: Value) -> Int32 {
    unsafe withUnsafeBytes(of: value) { bytes in
      let length = Swift.min(count, bytes.count)
      unsafe copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
      return Int32(length)
    }
  }
}

extension UnsafeRawBufferPointer {
  func loadInt32(at offset: Int) -> Int32? {
    guard offset + 4 <= count else { return nil }
    return unsafe loadUnaligned(fromByteOffset: offset, as: Int32.self)
  }
}
