import Foundation
import Testing

@testable import Simulator

/// What rules do to very many packets, against the formulas.
@Suite struct `The statistics of links` {
  static let count = 100_000

  /// Delays of very many packets, less the rule's delay, in units of its jitter, in order.
  private func jitters(_ distribution: Distribution) -> [Double] {
    var rule = LinkRule()
    (rule.delay, rule.jitter, rule.distribution) = (1_000_000_000, 1_000_000, distribution)
    var stage = LinkStage(rule: 0, stream: RandomStream(seed: 42, .link))
    return (0..<UInt64(Self.count)).map {
      (Double(stage.delay(rule, $0)) - 1e9) / 1e6
    }.sorted()
  }

  /// The Kolmogorov-Smirnov distance to a distribution function.
  private func distance(_ values: [Double], _ function: (Double) -> Double) -> Double {
    let count = Double(values.count)
    return values.enumerated().reduce(0) { most, next in
      let expected = function(next.element)
      return max(
        most, abs(expected - Double(next.offset) / count),
        abs(expected - Double(next.offset + 1) / count))
    }
  }

  private static let functions: [(Distribution, @Sendable (Double) -> Double)] = [
    (.uniform, { min(max(($0 + 1) / 2, 0), 1) }),
    (.normal, { (1 + erf($0 / 2.0.squareRoot())) / 2 }),
    (.exponential, { $0 < -1 ? 0 : 1 - exp(-($0 + 1)) }),
    (.pareto, { $0 * 0.75.squareRoot() + 1.5 < 1 ? 0 : 1 - pow($0 * 0.75.squareRoot() + 1.5, -3) }),
  ]

  @Test(arguments: 0..<functions.count)
  func `jitter has the distribution that was asked for`(_ index: Int) {
    let (distribution, function) = Self.functions[index]
    let values = jitters(distribution)
    // The distance that one in a hundred honest samples exceeds.
    let limit = 1.63 / Double(Self.count).squareRoot()
    let found = distance(values, function)
    #expect(found < limit, "\(distribution): \(found)")
    let mean = values.reduce(0, +) / Double(values.count)
    #expect(abs(mean) < 0.015, "\(distribution): \(mean)")
  }

  @Test func `jitter goes as far out as a million draws should`() {
    // One in 2^24 lies beyond 5.3 deviations, 16.6 lifetimes, or 256 times the least.
    #expect(abs(Double(Distribution.normal.value(at: .max - 255)) / 65_536 - 5.3) < 0.2)
    #expect(abs(Double(Distribution.normal.value(at: 256)) / 65_536 + 5.3) < 0.2)
    #expect(Distribution.exponential.value(at: 0) == -65_536)
    #expect(abs(Double(Distribution.exponential.value(at: .max - 255)) / 65_536 - 15.8) < 1)
    #expect(Double(Distribution.pareto.value(at: .max - 255)) / 65_536 > 200)
    let median = Double(Distribution.normal.value(at: 1 << 31)) / 65_536
    #expect(abs(median) < 0.001)
  }

  @Test func `pareto and normal together have the deviation 1`() {
    let values = jitters(.paretonormal)
    let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    // The fourth moment of the power law is infinite: its sample deviation settles slowly.
    #expect(abs(square - 1) < 0.2, "\(square)")
  }

  /// Which of very many packets a rule loses.
  private func losses(_ text: String) throws -> [Bool] {
    let rule = try LinkRule(parsing: text)
    var stage = LinkStage(rule: 0, stream: RandomStream(seed: 7, .link))
    return (0..<UInt64(Self.count)).map {
      var fate = Fate()
      stage.pass(rule, packet: $0, size: 100, at: 0, &fate)
      return fate.isLost
    }
  }

  private func rate(_ losses: [Bool]) -> Double {
    Double(losses.count { $0 }) / Double(losses.count)
  }

  /// The mean length of the runs of losses.
  private func burst(_ losses: [Bool]) -> Double {
    let runs = zip([false] + losses, losses).count { !$0 && $1 }
    return Double(losses.count { $0 }) / Double(max(runs, 1))
  }

  @Test func `losses come as often as the rule says`() throws {
    for percent in [1.0, 10, 30] {
      let found = rate(try losses("loss \(percent)%"))
      #expect(abs(found - percent / 100) < 4 * (percent / 100 / Double(Self.count)).squareRoot())
    }
    #expect(rate(try losses("drop")) == 1)
    #expect(rate(try losses("loss 0%")) == 0)
  }

  @Test func `bursts of losses have the length of the model`() throws {
    let model = try losses("loss gemodel 2% 20%")
    #expect(abs(rate(model) - 0.02 / 0.22) < 0.004)
    #expect(abs(burst(model) - 5) < 0.25)
    let states = try losses("loss state 2% 20%")
    #expect(abs(rate(states) - 0.02 / 0.22) < 0.004)
    #expect(abs(burst(states) - 5) < 0.25)
    let correlated = try losses("loss 10% 50%")
    #expect(abs(rate(correlated) - 0.1) < 0.005)
    #expect(abs(burst(correlated) - 1 / 0.45) < 0.1)
    #expect(abs(burst(try losses("loss 10%")) - 1 / 0.9) < 0.03)
  }

  @Test func `a chance is met to one part in 2^32`() {
    #expect(Chance(1, in: 2).parts == 1 << 31)
    #expect(Chance(1, in: 1) == .always && Chance(5, in: 3) == .always)
    #expect(Chance.always.contains(.max) && !Chance.never.contains(0))
    #expect(Chance(1, in: 3).complement.parts + Chance(1, in: 3).parts == 1 << 32)
  }
}
