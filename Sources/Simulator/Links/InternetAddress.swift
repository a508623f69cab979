import Reactor

/// An IPv6 address, or an IPv4 address in its mapped form (RFC 4291, section 2.5.5.2).
public struct InternetAddress: Sendable, Hashable {
  var high: UInt64
  var low: UInt64

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  init(ipv4: UInt32) { self.init(high: 0, low: Self.mapped | UInt64(ipv4)) }

  private static let mapped: UInt64 = 0xFFFF_0000_0000

  static let anyIPv4 = InternetAddress(ipv4: 0)
  static let anyIPv6 = InternetAddress(high: 0, low: 0)
  static let loopbackIPv4 = InternetAddress(ipv4: 0x7F00_0001)
  static let loopbackIPv6 = InternetAddress(high: 0, low: 1)

  @inline(__always) var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }
  @inline(__always) var ipv4: UInt32 { UInt32(truncatingIfNeeded: low) }

  @inline(__always) var isAny: Bool { high == 0 && (low == 0 || low == Self.mapped) }

  /// 255.255.255.255.
  var isBroadcast: Bool { isIPv4 && ipv4 == .max }

  /// 127.0.0.0/8 and ::1.
  @inline(__always) var isLoopback: Bool {
    high == 0 && (low == 1 || low >> 24 == Self.mapped >> 24 | 0x7F)
  }
}

/// An address and a port: one end of a flow.
struct Endpoint: Hashable {
  var address: InternetAddress
  var port: UInt16

  init(_ address: InternetAddress, _ port: UInt16) {
    self.address = address
    self.port = port
  }

  static let none = Endpoint(.anyIPv6, 0)

  /// Takes the address of a socket. nil: it is not of IPv4 or IPv6, or too short.
  init?(_ socketAddress: borrowing SocketAddress) {
    let found: Endpoint? = unsafe socketAddress.withUnsafeBytes { bytes -> Endpoint? in
      guard bytes.count >= 16 else { return nil }
      let port = unsafe UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
      switch unsafe bytes.loadUnaligned(as: UInt16.self) {
      case Family.ipv4:
        let address = unsafe bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        return Endpoint(InternetAddress(ipv4: UInt32(bigEndian: address)), port)
      case Family.ipv6 where bytes.count >= 28:
        let high = unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        let low = unsafe bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        return Endpoint(
          InternetAddress(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low)), port)
      default: return nil
      }
    }
    guard let found else { return nil }
    self = found
  }

  private enum Family {
    static let ipv4: UInt16 = 2
    static let ipv6: UInt16 = 10
  }

  /// The address as a socket of IPv4 or IPv6 shows it; the latter shows IPv4 as mapped.
  func socketAddress(isIPv6: Bool) -> SocketAddress {
    var image: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    let made = unsafe withUnsafeMutableBytes(of: &image) { bytes -> SocketAddress? in
      unsafe bytes.storeBytes(of: isIPv6 ? Family.ipv6 : Family.ipv4, as: UInt16.self)
      unsafe bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
      if isIPv6 {
        unsafe bytes.storeBytes(of: address.high.bigEndian, toByteOffset: 8, as: UInt64.self)
        unsafe bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 16, as: UInt64.self)
      } else {
        unsafe bytes.storeBytes(of: address.ipv4.bigEndian, toByteOffset: 4, as: UInt32.self)
      }
      return unsafe SocketAddress(
        bytes: UnsafeRawBufferPointer(rebasing: bytes[..<(isIPv6 ? 28 : 16)]))
    }
    return made ?? SocketAddress()
  }
}
