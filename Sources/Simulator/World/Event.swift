/// Something that happens at a time of the world: 16 bytes.
struct Event {
  enum Kind: UInt8 {
    /// A packet reaches its node; the word is its address.
    case arrival
    /// A node's noted deadline, or the end of a turn; the word is the node's index.
    case wake
    /// A connection's timer; the word is its `TimerSlot`.
    case timer
    /// The owner's action; the word is its slot.
    case action
  }

  /// Nanoseconds of the world.
  let time: UInt64
  /// The kind in the upper four bits, the word below.
  private let bits: UInt

  private static let shift: UInt = 60

  @inline(__always)
  init(time: UInt64, kind: Kind, word: UInt) {
    self.time = time
    bits = UInt(kind.rawValue) << Self.shift | word & (1 << Self.shift - 1)
  }

  @inline(__always) var kind: Kind? { Kind(rawValue: UInt8(bits >> Self.shift)) }
  @inline(__always) var word: UInt { bits & (1 << Self.shift - 1) }
}
