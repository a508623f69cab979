internal import CLinux
import Glibc

/// The address of a socket: an IPv4 or IPv6 address with a port, a Unix path, or the bytes of
/// any other family, as `struct sockaddr` has them.
///
/// A value of 116 bytes without a heap. Two are equal when their bytes are.
public struct SocketAddress: Sendable {
  var raw: linux_address

  /// Makes an address of nothing: `isEmpty`, family 0.
  public init() { raw = linux_address() }

  init(raw: linux_address) { self.raw = raw }

  /// The most bytes that an address has.
  public static let capacity = Int(LINUX_ADDRESS_CAPACITY)

  /// Takes the bytes of a `struct sockaddr`. nil when there are more than 112, or only one.
  public init?(bytes: UnsafeRawBufferPointer) {
    guard bytes.count <= Self.capacity, bytes.count != 1 else { return nil }
    self.init()
    raw.length = UInt32(bytes.count)
    unsafe withUnsafeMutableBytes(of: &raw.bytes) { unsafe $0.copyMemory(from: bytes) }
  }

  init(_ bytes: [UInt8]) {
    self.init()
    let count = min(bytes.count, Self.capacity)
    raw.length = UInt32(count)
    unsafe withUnsafeMutableBytes(of: &raw.bytes) { unsafe $0.copyBytes(from: bytes.prefix(count)) }
  }

  /// Lends the bytes of the `struct sockaddr`.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    unsafe Swift.withUnsafeBytes(of: raw.bytes) { bytes in
      unsafe body(UnsafeRawBufferPointer(rebasing: bytes[..<min(Int(raw.length), bytes.count)]))
    }
  }

  /// The bytes of the `struct sockaddr`.
  public var bytes: [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }
}

// MARK: Making one

extension SocketAddress {
  /// Makes an IPv4 address: `SocketAddress(127, 0, 0, 1, port: 80)`.
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) {
    self.init(ipv4: [a, b, c, d], port: port)
  }

  init(ipv4: [UInt8], port: UInt16) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    unsafe Swift.withUnsafeMutableBytes(of: &address.sin_addr) {
      unsafe $0.copyBytes(from: ipv4.prefix(4))
    }
    self.init(unsafe Swift.withUnsafeBytes(of: address) { unsafe [UInt8]($0) })
  }

  /// - Parameter zone: the index of the interface that a link-local address belongs to.
  init(ipv6: [UInt8], port: UInt16, zone: UInt32 = 0) {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    address.sin6_scope_id = zone
    unsafe Swift.withUnsafeMutableBytes(of: &address.sin6_addr) {
      unsafe $0.copyBytes(from: ipv6.prefix(16))
    }
    self.init(unsafe Swift.withUnsafeBytes(of: address) { unsafe [UInt8]($0) })
  }

  /// Makes a Unix address from the bytes of a path: 1...107 of them, none a NUL.
  public init?(path: some Collection<UInt8>) {
    guard !path.isEmpty, path.count <= Self.maximumPath, !path.contains(0) else { return nil }
    self.init(Self.unixFamily + path + [0])
  }

  /// Makes a Unix address in the abstract namespace of Linux: 1...107 bytes, any. Source: unix(7).
  public init?(abstract name: some Collection<UInt8>) {
    guard !name.isEmpty, name.count <= Self.maximumPath else { return nil }
    self.init(Self.unixFamily + [0] + name)
  }

  static let maximumPath = 107
  static let pathOffset = 2
  private static var unixFamily: [UInt8] {
    unsafe Swift.withUnsafeBytes(of: sa_family_t(AF_UNIX)) { unsafe [UInt8]($0) }
  }
}

// MARK: What it is

extension SocketAddress {
  public var isEmpty: Bool { raw.length == 0 }

  /// The address family, a Linux number: AF_INET is 2, AF_INET6 10, AF_UNIX 1; 0 for none.
  public var family: Int32 { Int32(load(at: 0, as: sa_family_t.self)) }

  public var isIPv4: Bool { family == AF_INET && raw.length >= 16 }
  public var isIPv6: Bool { family == AF_INET6 && raw.length >= 28 }
  public var isUnix: Bool { family == AF_UNIX }

  /// The port of an IPv4 or IPv6 address.
  public var port: UInt16? {
    get { isIPv4 || isIPv6 ? UInt16(bigEndian: load(at: 2, as: UInt16.self)) : nil }
    set {
      guard let newValue, isIPv4 || isIPv6 else { return }
      unsafe withUnsafeMutableBytes(of: &raw.bytes) {
        unsafe $0.storeBytes(of: newValue.bigEndian, toByteOffset: 2, as: UInt16.self)
      }
    }
  }

  /// The interface index of a link-local IPv6 address; 0 when there is none.
  public var zone: UInt32 { isIPv6 ? load(at: 24, as: UInt32.self) : 0 }

  /// The bytes of a Unix path, without the NUL that ends it. Empty for an unnamed socket; those
  /// of an abstract name begin with a NUL.
  public var unixPath: [UInt8]? {
    guard isUnix else { return nil }
    let path = bytes.dropFirst(Self.pathOffset)
    return path.first == 0 ? [UInt8](path) : [UInt8](path.prefix { $0 != 0 })
  }

  private func load<Number: BitwiseCopyable>(at offset: Int, as type: Number.Type) -> Number {
    unsafe Swift.withUnsafeBytes(of: raw.bytes) {
      unsafe $0.loadUnaligned(fromByteOffset: offset, as: type)
    }
  }
}

extension SocketAddress: Hashable {
  public static func == (left: SocketAddress, right: SocketAddress) -> Bool {
    unsafe left.withUnsafeBytes { one in
      unsafe right.withUnsafeBytes { other in unsafe one.elementsEqual(other) }
    }
  }

  public func hash(into hasher: inout Hasher) {
    unsafe withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}
