/// Something that happens at a time of the world.
@safe
struct Event {
  enum Kind: UInt8 {
    /// A packet reaches its node; `word` is its address.
    case arrival
    /// A node's noted deadline, or the end of a turn; `word` is the node's index.
    case wake
    /// A connection's timer; `word` is its `TimerSlot`.
    case timer
    /// The owner's action; `word` is its slot.
    case action
  }

  /// Nanoseconds of the world.
  var time: UInt64
  /// Decides between equal times.
  var order: UInt64
  var word: UInt
  var kind: Kind

  @inline(__always)
  func isBefore(_ other: borrowing Event) -> Bool {
    time != other.time ? time < other.time : order < other.order
  }
}
