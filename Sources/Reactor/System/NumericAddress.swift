/// Numeric addresses and their one way of being written, strictly: nothing that one program
/// reads as an address of the network and another as one of its own machine.
enum NumericAddress {
  typealias Bytes = [UInt8]
  typealias Text = Substring.UTF8View

  /// Reads four decimal numbers 0...255 without leading zeros. Source: RFC 6943, section 3.1.1.
  static func ipv4(_ text: Text) -> Bytes? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bytes = Bytes()
    for part in parts {
      guard let number = decimal(part, maximum: 255) else { return nil }
      bytes.append(UInt8(number))
    }
    return bytes
  }

  /// Reads an IPv6 address without its zone. Source: RFC 4291, section 2.2.
  static func ipv6(_ text: Text) -> Bytes? {
    let colon = UInt8(ascii: ":")
    var groups: [UInt16] = []
    var gap: Int?
    var rest = text
    if rest.starts(with: "::".utf8) {
      gap = 0
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let part = rest.prefix { $0 != colon }
      rest = rest.dropFirst(part.count)
      if part.contains(UInt8(ascii: ".")) {
        guard rest.isEmpty, let last = ipv4(part) else { return nil }
        groups.append(UInt16(last[0]) << 8 | UInt16(last[1]))
        groups.append(UInt16(last[2]) << 8 | UInt16(last[3]))
        break
      }
      guard let group = hexadecimal(part) else { return nil }
      groups.append(group)
      if rest.isEmpty { break }
      rest = rest.dropFirst()
      if rest.first == colon {
        guard gap == nil else { return nil }
        gap = groups.count
        rest = rest.dropFirst()
      } else if rest.isEmpty {
        return nil
      }
    }
    guard fill(&groups, gap) else { return nil }
    return groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
  }

  /// Puts the zeros that "::" stands for into their place. False: not eight groups.
  private static func fill(_ groups: inout [UInt16], _ gap: Int?) -> Bool {
    guard let gap else { return groups.count == 8 }
    guard groups.count < 8 else { return false }
    groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
    return true
  }

  /// Reads digits, without a leading zero, up to `maximum`.
  static func decimal(_ text: Text, maximum: UInt32) -> UInt32? {
    guard !text.isEmpty, text.count <= 10 else { return nil }
    guard text.count == 1 || text.first != UInt8(ascii: "0") else { return nil }
    var number: UInt64 = 0
    for byte in text {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + UInt64(byte - UInt8(ascii: "0"))
    }
    return number <= maximum ? UInt32(number) : nil
  }

  private static func hexadecimal(_ text: Text) -> UInt16? {
    guard (1...4).contains(text.count) else { return nil }
    var number: UInt16 = 0
    for byte in text {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt16(byte - 48)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt16(byte - 87)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): number = number << 4 | UInt16(byte - 55)
      default: return nil
      }
    }
    return number
  }

  static func text(ipv4 bytes: some Collection<UInt8>) -> String {
    bytes.map { String($0) }.joined(separator: ".")
  }

  /// Writes an IPv6 address: lower case, "::" for the first longest run of two or more zeros,
  /// an IPv4-mapped address with its last part dotted. Source: RFC 5952.
  static func text(ipv6 bytes: Bytes) -> String {
    let groups = stride(from: 0, to: bytes.count - 1, by: 2).map {
      UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
    }
    if groups.prefix(5).allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
      return "::ffff:" + text(ipv4: bytes.suffix(4))
    }
    let zeros = longestZeros(groups)
    let head = groups[..<zeros.lowerBound].map { String($0, radix: 16) }
    let tail = groups[zeros.upperBound...].map { String($0, radix: 16) }
    guard zeros.count > 1 else { return (head + tail).joined(separator: ":") }
    return head.joined(separator: ":") + "::" + tail.joined(separator: ":")
  }

  /// Returns an empty range at the end when no two zeros stand together.
  private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
    var longest = groups.count..<groups.count
    var start = 0
    for (index, group) in groups.enumerated() {
      guard group == 0 else {
        start = index + 1
        continue
      }
      let run = start..<index + 1
      if run.count > max(longest.count, 1) { longest = run }
    }
    return longest
  }
}
