/// What a registration asks for. Errors and hang-ups are reported whatever is asked.
public struct Interest: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let read = Interest(rawValue: 0x01)
  public static let write = Interest(rawValue: 0x02)
  /// Urgent data: a TCP urgent byte, an alert of a sysfs file. Does not imply `read`.
  public static let priority = Interest(rawValue: 0x04)
  /// The end of the peer's writing, a hang-up or an error, whether or not data is still there.
  /// A pipe whose reader is gone reports an error.
  public static let closed = Interest(rawValue: 0x08)
  /// A pending error, such as one in the error queue of a UDP socket.
  public static let error = Interest(rawValue: 0x10)

  public static let all: Interest = [.read, .write, .priority, .closed, .error]

  /// The bits of readiness that end a wait for this interest.
  public var readyMask: Ready {
    var mask: Ready = []
    if contains(.read) { mask.formUnion(.readSide) }
    if contains(.write) { mask.formUnion(.writeSide) }
    if contains(.priority) { mask.formUnion([.priority, .readClosed, .failed]) }
    if contains(.closed) { mask.formUnion([.readClosed, .writeClosed, .failed]) }
    if contains(.error) { mask.formUnion(.failed) }
    return mask
  }

  /// The letters that name this interest in Lua: r w p c e.
  public var letters: String {
    var text = ""
    if contains(.read) { text += "r" }
    if contains(.write) { text += "w" }
    if contains(.priority) { text += "p" }
    if contains(.closed) { text += "c" }
    if contains(.error) { text += "e" }
    return text
  }

  /// Reads an interest from its letters. nil when a letter is unknown or there is none.
  public init?(letters: String) {
    var interest: Interest = []
    for letter in letters.utf8 {
      switch letter {
      case UInt8(ascii: "r"): interest.insert(.read)
      case UInt8(ascii: "w"): interest.insert(.write)
      case UInt8(ascii: "p"): interest.insert(.priority)
      case UInt8(ascii: "c"): interest.insert(.closed)
      case UInt8(ascii: "e"): interest.insert(.error)
      default: return nil
      }
    }
    guard !interest.isEmpty else { return nil }
    self = interest
  }
}
