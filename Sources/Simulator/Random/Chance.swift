/// A probability as a whole number of 2^32nds.
public struct Chance: Sendable, Hashable, Comparable {
  /// 0...2^32.
  public let parts: UInt64

  public static let never = Chance(parts: 0)
  public static let always = Chance(parts: 1 << 32)

  private init(parts: UInt64) { self.parts = parts }

  /// The chance of `numerator` in `denominator`, which is above zero; at most 1.
  public init(_ numerator: UInt64, in denominator: UInt64) {
    let part = min(numerator, denominator)
    parts = denominator.dividingFullWidth((part >> 32, part << 32)).quotient
  }

  /// The chance that it does not happen.
  public var complement: Chance { Chance(parts: 1 << 32 - parts) }

  /// Whether the random number `bits` falls into the chance.
  @inline(__always)
  func contains(_ bits: UInt64) -> Bool { bits >> 32 < parts }

  public static func < (left: Chance, right: Chance) -> Bool { left.parts < right.parts }
}
