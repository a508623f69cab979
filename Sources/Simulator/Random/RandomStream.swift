/// Random numbers by counting: draw number n of a stream is a hash of the world's seed, the
/// stream's name and n, and of nothing else.
///
/// What one stream draws, how often and when, changes no other stream. So a fault that is taken
/// away, or a node that is added, leaves everybody else's luck as it was.
public struct RandomStream: Sendable {
  /// What the numbers are for. One purpose of one place (a node, a direction of a link) is a
  /// stream.
  public enum Purpose: UInt64, Sendable {
    case entropy = 1
    case sequenceNumber
    case port
    case link
    case order
    case disk
    case owner
  }

  private let key: UInt64
  /// How many numbers were drawn.
  public private(set) var counter: UInt64 = 0

  /// - Parameters:
  ///   - from, to: the place: indices of nodes, or any numbers of the owner's choice.
  public init(seed: UInt64, _ purpose: Purpose, from: UInt64 = 0, to: UInt64 = 0) {
    let place = Self.mix(from &* Self.odd &+ to) ^ purpose.rawValue
    key = Self.mix(Self.mix(seed &+ Self.odd) ^ Self.mix(place))
  }

  /// The stream of one purpose within this one, such as the losses of a link.
  func substream(_ index: UInt64) -> RandomStream {
    RandomStream(key: Self.mix(key &+ Self.mix(index &+ Self.odd)))
  }

  private init(key: UInt64) { self.key = key }

  /// Draws 64 bits.
  public mutating func next() -> UInt64 {
    defer { counter &+= 1 }
    return at(counter)
  }

  /// Draw number `index`, whatever was drawn before.
  public func at(_ index: UInt64) -> UInt64 {
    Self.mix(Self.mix(index &* Self.odd &+ key) ^ key)
  }

  /// Draws a number below `limit`, which is above zero, each as likely as any other.
  public mutating func below(_ limit: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: ((next() >> 32) &* UInt64(limit)) >> 32)
  }

  /// Whether something of this chance happens.
  public mutating func happens(_ chance: Chance) -> Bool { chance.contains(next()) }

  public mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    var index = 0
    var bits: UInt64 = 0
    while index < buffer.count {
      if index % 8 == 0 { bits = next() }
      unsafe buffer[index] = UInt8(truncatingIfNeeded: bits)
      bits >>= 8
      index += 1
    }
  }

  /// 2^64 divided by the golden ratio, made odd.
  private static let odd: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Spreads every bit over all of them, one to one. Source: the finalizer of SplitMix64
  /// (Steele, Lea, Flood 2014; constants by Stafford, variant 13).
  static func mix(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return bits ^ bits >> 31
  }
}
