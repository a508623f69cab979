import Simulator

/// A number and a random stream that a closure changes without a check for others.
final class Count {
  @safe @exclusivity(unchecked) var left: Int
  @safe @exclusivity(unchecked) var random = RandomStream(seed: 1, .owner)

  /// What happens again and again.
  @safe @exclusivity(unchecked) var action: () -> Void = {}

  init(_ left: Int) { self.left = left }

  /// Up to a second, in nanoseconds.
  func pause() -> UInt64 { UInt64(random.below(1_000_000_000)) + 1 }
}
