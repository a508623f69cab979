/// How jitter is spread. Every one but `uniform` has the mean 0 and the standard deviation 1, in
/// units of the jitter; `uniform` lies between -1 and 1.
public enum Distribution: UInt8, Sendable {
  case uniform
  case normal
  /// The power law with the exponent 3: most a little early, few very late.
  case pareto
  /// A quarter normal and three quarters pareto, brought to the same deviation.
  case paretonormal
  case exponential

  /// The value at which `position` (in 2^32nds) of all draws are below, in 2^-16 of the jitter.
  func value(at position: UInt32) -> Int64 {
    switch self {
    case .uniform: (Int64(position) - 1 << 31) >> 15
    case .normal: Self.normalTable.value(at: position)
    case .pareto: Self.paretoTable.value(at: position)
    case .exponential: Self.exponentialTable.value(at: position)
    case .paretonormal:
      // Independent halves of one draw; the deviation of n + 3 p is the root of 10.
      (Self.normalTable.value(at: position << 16 | position >> 16)
        + 3 * Self.paretoTable.value(at: position)) * 1_000_000 / 3_162_278
    }
  }

  // MARK: Tables

  // Made from whole numbers alone, when they are used first: fractions of 2^62 below 1, so that
  // no machine and no library rounds in another way.

  private static let normalTable = QuantileTable { add in
    // The density at x + h is that at x by exp(-x h - h^2 / 2), which itself shrinks by exp(-h^2):
    // from the middle outwards every factor is below 1.
    let reach = 6 * steps
    var density = Fraction.one
    var ratio = Fraction.exponential(ofMinus: 1, over: 2 * steps * steps)
    let shrink = Fraction.exponential(ofMinus: 1, over: steps * steps)
    var densities: [UInt64] = []
    for _ in 0...reach {
      densities.append(density)
      density = Fraction.product(density, ratio)
      ratio = Fraction.product(ratio, shrink)
    }
    var total: UInt64 = 0
    var sums: [UInt64] = [0]
    for index in 1...reach {
      total += (densities[index - 1] / 2 + densities[index] / 2) / UInt64(steps)
      sums.append(total)
    }
    for index in stride(from: reach, through: 1, by: -1) {
      add(-Int64(index) * 65_536 / Int64(steps), total - sums[index], 2 * total)
    }
    for index in 0...reach {
      add(Int64(index) * 65_536 / Int64(steps), total + sums[index], 2 * total)
    }
  }

  private static let exponentialTable = QuantileTable { add in
    let decay = Fraction.exponential(ofMinus: 1, over: steps)
    var rest = Fraction.one
    for index in 0...18 * steps {
      add((Int64(index) - Int64(steps)) * 65_536 / Int64(steps), Fraction.one - rest, Fraction.one)
      rest = Fraction.product(rest, decay)
    }
  }

  private static let paretoTable = QuantileTable { add in
    // x = 1, 1.001, ...: x^-3 of all draws lie above x; the mean is 1.5, the deviation the root
    // of 0.75.
    var x: UInt64 = 1_000_000
    while x <= 300_000_000 {
      let (whole, part) = (Fraction.one / x * 1_000_000, Fraction.one % x * 1_000_000 / x)
      let inverse = whole + part
      let above = Fraction.product(Fraction.product(inverse, inverse), inverse)
      add((Int64(x) - 1_500_000) * 65_536 / 866_025, Fraction.one - above, Fraction.one)
      x += max(x / 4_000, 1)
    }
  }

  /// Steps a unit of x.
  private static let steps = 4_096
}
