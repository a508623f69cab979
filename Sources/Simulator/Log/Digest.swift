/// A hash of 128 bits that is fed word by word: not against an adversary, but such that two
/// different histories have different ones. Multiply and fold, as in wyhash (public domain).
public struct Digest: Sendable, Hashable, CustomStringConvertible {
  public private(set) var high: UInt64 = 0x9E37_79B9_7F4A_7C15
  public private(set) var low: UInt64 = 0xD1B5_4A32_D192_ED03

  public init() {}

  @inline(__always)
  mutating func add(_ one: UInt64, _ other: UInt64) {
    high = Self.fold(high ^ one ^ 0xA076_1D64_78BD_642F, other ^ 0xE703_7ED1_A0B4_28DB) ^ other
    low = Self.fold(low ^ other ^ 0x8EBC_6AF0_9C88_C6E3, one ^ 0x5899_65CC_7537_4CC3) ^ high
  }

  @inline(__always)
  private static func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
    let (high, low) = one.multipliedFullWidth(by: other)
    return high ^ low
  }

  /// Hashes bytes into 64 bits.
  public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var digest = Digest()
    var offset = 0
    while offset + 16 <= bytes.count {
      unsafe digest.add(
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
      offset += 16
    }
    var rest: (UInt64, UInt64) = (0, 0)
    for index in offset..<bytes.count {
      let shift = UInt64((index - offset) % 8 * 8)
      let byte = unsafe UInt64(bytes[index]) << shift
      if index - offset < 8 { rest.0 |= byte } else { rest.1 |= byte }
    }
    digest.add(rest.0, rest.1)
    digest.add(UInt64(bytes.count), 0)
    return digest.high ^ digest.low
  }

  /// 32 hexadecimal digits.
  public var description: String { Self.digits(high) + Self.digits(low) }

  private static func digits(_ word: UInt64) -> String {
    let text = String(word, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
