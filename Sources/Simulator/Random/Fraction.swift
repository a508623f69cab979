/// Arithmetic on fractions of 2^62 from 0 to 1.
enum Fraction {
  static let one: UInt64 = 1 << 62

  static func product(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (high, low) = left.multipliedFullWidth(by: right)
    return high << 2 | low >> 62
  }

  /// Returns exp(-numerator / denominator) for a quotient of at most 1, by its series.
  static func exponential(ofMinus numerator: Int, over denominator: Int) -> UInt64 {
    var term = one
    var sum = one
    var index: UInt64 = 1
    while term > 0 {
      // The quotient is split off, so that no product is longer than 128 bits.
      let (high, low) = term.multipliedFullWidth(by: UInt64(numerator))
      term = (UInt64(denominator) * index).dividingFullWidth((high, low)).quotient
      if index % 2 == 1 { sum -= term } else { sum += term }
      index += 1
    }
    return sum
  }
}
