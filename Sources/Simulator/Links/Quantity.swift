/// Numbers with units, as link rules and scenarios write them: "20ms", "1.5%", "10mbit".
public enum Quantity {
  /// Reads a time: ns, us, ms, s, min or h. nil: it is not one, or too long.
  public static func nanoseconds(_ text: some StringProtocol) -> UInt64? {
    read(text, times)
  }

  /// Reads a rate in bits a second: bit, kbit, mbit, gbit, tbit, and bps, kbps, … for bytes.
  public static func bitsPerSecond(_ text: some StringProtocol) -> UInt64? {
    read(text, rates)
  }

  /// Reads a part of the whole: "1%", "0.01%".
  public static func chance(_ text: some StringProtocol) -> Chance? {
    guard text.hasSuffix("%"), let number = decimal(text.utf8.dropLast()),
      number.digits <= 100 * number.scale
    else { return nil }
    return Chance(number.digits, in: 100 * number.scale)
  }

  /// The longest names first, so that "ms" is not taken for "s".
  private static let times: [(StaticString, UInt64)] = [
    ("min", 60_000_000_000), ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ("h", 3_600_000_000_000),
  ]

  private static let rates: [(StaticString, UInt64)] = [
    ("kbit", 1_000), ("mbit", 1_000_000), ("gbit", 1_000_000_000), ("tbit", 1_000_000_000_000),
    ("bit", 1), ("kbps", 8_000), ("mbps", 8_000_000), ("gbps", 8_000_000_000), ("bps", 8),
  ]

  private static func read(
    _ text: some StringProtocol, _ units: [(name: StaticString, value: UInt64)]
  ) -> UInt64? {
    for unit in units where text.hasSuffix("\(unit.name)") {
      guard let number = decimal(text.utf8.dropLast(unit.name.utf8CodeUnitCount)) else { continue }
      let (high, low) = number.digits.multipliedFullWidth(by: unit.value)
      guard high < number.scale else { return nil }
      return number.scale.dividingFullWidth((high, low)).quotient
    }
    return nil
  }

  /// Reads digits with at most nine behind a point.
  private static func decimal(
    _ text: some Sequence<UInt8>
  ) -> (digits: UInt64, scale: UInt64)? {
    var digits: UInt64 = 0
    var scale: UInt64 = 1
    var hasPoint = false
    var count = 0
    var last: UInt8 = 0
    for byte in text {
      last = byte
      if byte == UInt8(ascii: "."), !hasPoint, count > 0 {
        hasPoint = true
        continue
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      count += 1
      if hasPoint { scale *= 10 }
      guard count <= 18, scale <= 1_000_000_000 else { return nil }
      digits = digits * 10 + UInt64(byte - UInt8(ascii: "0"))
    }
    return count > 0 && last != UInt8(ascii: ".") ? (digits, scale) : nil
  }
}
