import CLua
import Glibc

/// A format of `file:read`: what it takes from the bytes that are there. Source: the Lua 5.4
/// reference manual, section 6.8.
@safe
enum ReadFormat {
  case number
  case line(keepsEnd: Bool)
  case all
  case count(Int)

  /// What a format has found at the front of some bytes.
  struct Match {
    /// Bytes that are read with it, found or not.
    var consumed: Int
    /// Which of them are the value. nil: the format fails.
    var value: Range<Int>?
  }

  /// Reads argument `index`. nil: it is no format.
  init?(_ call: Call, _ index: Int) {
    switch call.kind(index) {
    case Int32(LR_NIL): self = .line(keepsEnd: false)
    case Int32(LR_INTEGER) where call.integer(index) >= 0:
      self = .count(Int(clamping: call.integer(index)))
    case Int32(LR_NUMBER):
      guard let count = Int(exactly: call.number(index)), count >= 0 else { return nil }
      self = .count(count)
    case Int32(LR_BYTES):
      let name = unsafe call.bytes(index)
      let isStarred = unsafe name.first == UInt8(ascii: "*")
      switch unsafe isStarred ? name.dropFirst().first : name.first {
      case UInt8(ascii: "n"): self = .number
      case UInt8(ascii: "l"): self = .line(keepsEnd: false)
      case UInt8(ascii: "L"): self = .line(keepsEnd: true)
      case UInt8(ascii: "a"): self = .all
      default: return nil
      }
    default: return nil
    }
  }

  /// Looks at the bytes that are there. nil: it takes more of them to say.
  /// - Parameter ended: no more will come.
  func match(_ bytes: UnsafeRawBufferPointer, ended: Bool) -> Match? {
    switch self {
    case .number: return unsafe Numeral.match(bytes, ended: ended)
    case .line(let keepsEnd):
      if let end = unsafe Self.endOfLine(bytes) {
        return Match(consumed: end + 1, value: 0..<(keepsEnd ? end + 1 : end))
      }
      if !ended { return nil }
      return Match(consumed: bytes.count, value: unsafe bytes.isEmpty ? nil : 0..<bytes.count)
    case .all: return ended ? Match(consumed: bytes.count, value: 0..<bytes.count) : nil
    case .count(0):
      if unsafe bytes.isEmpty { return ended ? Match(consumed: 0, value: nil) : nil }
      return Match(consumed: 0, value: 0..<0)
    case .count(let wanted):
      if bytes.count < wanted, !ended { return nil }
      let count = min(bytes.count, wanted)
      return Match(consumed: count, value: count == 0 ? nil : 0..<count)
    }
  }

  private static func endOfLine(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress, let end = unsafe memchr(base, 10, bytes.count) else {
      return nil
    }
    return unsafe UnsafeRawPointer(end) - base
  }
}

/// The numeral at the front of some bytes, taken byte by byte as stock `read("n")` takes it.
@safe
private struct Numeral {
  private let bytes: UnsafeRawBufferPointer
  private var index = 0
  private var start = 0
  private var isTooLong = false
  /// Stock Lua's limit.
  private static let limit = 200

  static func match(_ bytes: UnsafeRawBufferPointer, ended: Bool) -> ReadFormat.Match? {
    var numeral = unsafe Numeral(bytes: bytes)
    let isNumber = numeral.scan()
    // The end of the bytes ends the numeral only where nothing can follow.
    if numeral.index == bytes.count, !ended, !numeral.isTooLong { return nil }
    return ReadFormat.Match(
      consumed: numeral.index,
      value: isNumber && !numeral.isTooLong ? numeral.start..<numeral.index : nil)
  }

  private init(bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

  private mutating func scan() -> Bool {
    while let byte = current, byte == 32 || 9...13 ~= byte { index += 1 }
    start = index
    _ = take("+", "-")
    var digits = 0
    var isHexadecimal = false
    if take("0", "0") {
      isHexadecimal = take("x", "X")
      if !isHexadecimal { digits = 1 }
    }
    digits += takeDigits(isHexadecimal)
    if take(".", ".") { digits += takeDigits(isHexadecimal) }
    guard digits > 0 else { return false }
    guard isHexadecimal ? take("p", "P") : take("e", "E") else { return true }
    _ = take("+", "-")
    return takeDigits(false) > 0
  }

  private var current: UInt8? { unsafe index < bytes.count ? bytes[index] : nil }

  private mutating func advance() -> Bool {
    if index - start >= Self.limit { isTooLong = true }
    if !isTooLong { index += 1 }
    return !isTooLong
  }

  private mutating func take(_ one: Unicode.Scalar, _ other: Unicode.Scalar) -> Bool {
    guard let byte = current, byte == UInt8(ascii: one) || byte == UInt8(ascii: other) else {
      return false
    }
    return advance()
  }

  private mutating func takeDigits(_ hexadecimal: Bool) -> Int {
    var count = 0
    while let byte = current, isDigit(byte, hexadecimal), advance() { count += 1 }
    return count
  }

  private func isDigit(_ byte: UInt8, _ hexadecimal: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): hexadecimal
    default: false
    }
  }
}
