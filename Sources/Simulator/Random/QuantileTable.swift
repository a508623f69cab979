/// The inverse of a distribution function, as a table of 4,096 steps; the first and the last one
/// have 4,096 steps of their own, so that one draw in 2^24 is as far out as it should be.
struct QuantileTable: Sendable {
  private static let size = 4_096
  private var middle: [Int32] = []
  private var first: [Int32] = []
  private var last: [Int32] = []

  /// Makes a table from points of the distribution: value, and how much of the whole lies below.
  /// Both rise from point to point.
  init(_ points: (_ add: (_ value: Int64, _ below: UInt64, _ whole: UInt64) -> Void) -> Void) {
    var values: [Int64] = []
    var belows: [UInt64] = []
    points { value, below, whole in
      values.append(value)
      belows.append(Self.scaled(below, whole))
    }
    let unit: UInt64 = 1 << 56
    middle = Self.quantiles(values, belows, from: 0, step: unit / UInt64(Self.size))
    first = Self.quantiles(values, belows, from: 0, step: unit >> 24)
    last = Self.quantiles(
      values, belows, from: unit - unit / UInt64(Self.size), step: unit >> 24)
  }

  /// `below / whole` in 2^-56ths.
  private static func scaled(_ below: UInt64, _ whole: UInt64) -> UInt64 {
    if below >= whole { return 1 << 56 }
    return whole.dividingFullWidth((below >> 8, below << 56)).quotient
  }

  /// The values at 4,097 positions, between the points by a straight line.
  private static func quantiles(
    _ values: [Int64], _ belows: [UInt64], from start: UInt64, step: UInt64
  ) -> [Int32] {
    var result: [Int32] = []
    var index = 1
    for number in 0...UInt64(size) {
      let position = start + number * step
      while index < values.count - 1, belows[index] < position { index += 1 }
      let (low, high) = (belows[index - 1], belows[index])
      let offset = min(max(position, low) - low, high - low)
      let rise = values[index] - values[index - 1]
      let part = high > low ? offset * UInt64(rise) / (high - low) : 0
      result.append(Int32(clamping: values[index - 1] + Int64(part)))
    }
    return result
  }

  func value(at position: UInt32) -> Int64 {
    switch position >> 20 {
    case 0: Self.between(first, position << 12)
    case 4_095: Self.between(last, position << 12)
    default: Self.between(middle, position)
    }
  }

  private static func between(_ table: [Int32], _ position: UInt32) -> Int64 {
    let index = Int(position >> 20)
    let (low, high) = (Int64(table[index]), Int64(table[index + 1]))
    return low + ((high - low) * Int64(position & 0xF_FFFF)) >> 20
  }
}
