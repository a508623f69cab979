internal import CLinux

/// Why a text is not a socket address.
public struct AddressError: Error, Sendable, CustomStringConvertible {
  /// What is wrong, in lower case: "the port is missing".
  public let reason: StaticString
  public var description: String { "\(reason)" }
}

extension SocketAddress {
  /// Reads an address as `description` writes it: "127.0.0.1:80", "[::1]:80", "[fe80::1%lo]:80",
  /// "unix:/run/socket", "unix:@abstract". Addresses are numeric, without leading zeros and
  /// without the octal, hexadecimal and short forms of inet_aton(3); ports are 0...65535.
  ///
  /// The zone after "%" is the name or the index of an interface of this machine.
  public init(parsing text: String) throws(AddressError) {
    if text.utf8.starts(with: "unix:".utf8) {
      self = try Self.unix(text.utf8.dropFirst(5))
      return
    }
    let bytes = text[...].utf8
    let colon = UInt8(ascii: ":")
    if bytes.first == UInt8(ascii: "[") {
      guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else {
        throw AddressError(reason: "the closing bracket is missing")
      }
      let host = bytes[bytes.index(after: bytes.startIndex)..<end]
      let rest = bytes[bytes.index(after: end)...]
      guard rest.first == colon else { throw AddressError(reason: "the port is missing") }
      self = try Self.ipv6(host, port: Self.port(rest.dropFirst()))
    } else {
      guard let end = bytes.firstIndex(of: colon) else {
        throw AddressError(reason: "the port is missing")
      }
      let host = bytes[..<end]
      let rest = bytes[bytes.index(after: end)...]
      guard !host.isEmpty else { throw AddressError(reason: "the host is missing") }
      guard !rest.contains(colon) else {
        throw AddressError(reason: "an IPv6 address stands in brackets")
      }
      guard let address = NumericAddress.ipv4(host) else {
        throw AddressError(reason: "not a numeric address")
      }
      self.init(ipv4: address, port: try Self.port(rest))
    }
  }

  /// Makes an address from a numeric host without brackets: "127.0.0.1", "::1", "fe80::1%lo".
  /// nil when it is not one: a name, which `Kernel.resolve` looks up.
  public init?(host: String, port: UInt16) {
    if let address = NumericAddress.ipv4(host[...].utf8) {
      self.init(ipv4: address, port: port)
    } else {
      guard let address = try? Self.ipv6(host[...].utf8, port: port) else { return nil }
      self = address
    }
  }

  private static func port(_ text: NumericAddress.Text) throws(AddressError) -> UInt16 {
    guard !text.isEmpty else { throw AddressError(reason: "the port is missing") }
    guard let port = NumericAddress.decimal(text, maximum: 65535) else {
      throw AddressError(reason: "the port is not a number from 0 to 65535")
    }
    return UInt16(port)
  }

  private static func ipv6(
    _ text: NumericAddress.Text, port: UInt16
  ) throws(AddressError) -> SocketAddress {
    let host = text.prefix { $0 != UInt8(ascii: "%") }
    guard let address = NumericAddress.ipv6(host) else {
      throw AddressError(reason: "not a numeric address")
    }
    guard host.count < text.count else { return SocketAddress(ipv6: address, port: port) }
    guard let zone = zoneIndex(text.dropFirst(host.count + 1)) else {
      throw AddressError(reason: "no such network interface")
    }
    return SocketAddress(ipv6: address, port: port, zone: zone)
  }

  private static func zoneIndex(_ name: NumericAddress.Text) -> UInt32? {
    if let index = NumericAddress.decimal(name, maximum: .max) { return index > 0 ? index : nil }
    guard !name.isEmpty, !name.contains(0) else { return nil }
    let index = unsafe linux_interface_index(String(decoding: name, as: UTF8.self))
    return index > 0 ? index : nil
  }

  private static func unix(_ path: Substring.UTF8View) throws(AddressError) -> SocketAddress {
    guard path.count <= maximumPath else {
      throw AddressError(reason: "a Unix path has at most 107 bytes")
    }
    if path.first == UInt8(ascii: "@") {
      guard let address = SocketAddress(abstract: path.dropFirst()) else {
        throw AddressError(reason: "the abstract name is empty")
      }
      return address
    }
    guard !path.isEmpty else { throw AddressError(reason: "the path is empty") }
    guard let address = SocketAddress(path: path) else {
      throw AddressError(reason: "a Unix path has no NUL")
    }
    return address
  }
}

extension SocketAddress: CustomStringConvertible {
  /// The numeric host without brackets, with its zone; nil for another family.
  public var host: String? {
    if isIPv4 { return NumericAddress.text(ipv4: bytes[4..<8]) }
    guard isIPv6 else { return nil }
    let address = NumericAddress.text(ipv6: [UInt8](bytes[8..<24]))
    return zone == 0 ? address : address + "%" + Self.zoneName(zone)
  }

  /// The address as `init(parsing:)` reads it; "unix:" for an unnamed Unix socket and
  /// "family 16" for a family without a text form.
  public var description: String {
    if let host, let port { return isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
    guard let path = unixPath else { return isEmpty ? "none" : "family \(family)" }
    let isAbstract = path.first == 0
    let name = String(decoding: isAbstract ? path.dropFirst() : path[...], as: UTF8.self)
    return (isAbstract ? "unix:@" : "unix:") + name
  }

  /// The name of an interface, or its index when it has none any more.
  private static func zoneName(_ index: UInt32) -> String {
    unsafe withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: Int(LINUX_INTERFACE_CAPACITY)
    ) { name in
      guard let start = name.baseAddress, unsafe linux_interface_name(index, start) == 0 else {
        return String(index)
      }
      return unsafe String(cString: start)
    }
  }
}
