/// The clock of a node: how its time runs beside the world's. Whole nanoseconds throughout.
///
/// Monotonic time counts from power-on and never runs backwards. Wall-clock time begins at the
/// world's date, and may be off and stepped. Both drift alike.
public struct NodeClock: Sendable {
  /// 2000-01-01 00:00:00 UTC, in nanoseconds since 1970.
  public static let dateOfBeginning: Int64 = 946_684_800_000_000_000
  /// What monotonic time says at power-on: one second, as zero means "no time" to many programs.
  static let monotonicAtPowerOn: UInt64 = 1_000_000_000
  /// How far a clock may drift: a part in a thousand.
  public static let maximumDrift: Int64 = 1_000_000

  /// A moment of the world, and what the clock said then.
  private var moment: UInt64
  private var monotonic: UInt64
  /// What is to be added to monotonic time.
  private var wallOffset: Int64
  /// How much faster the clock runs than the world's time, in parts of 10^9.
  public private(set) var drift: Int64 = 0

  init(poweredOnAt now: UInt64) {
    moment = now
    monotonic = Self.monotonicAtPowerOn
    wallOffset = Self.dateOfBeginning &+ Int64(now) &- Int64(Self.monotonicAtPowerOn)
  }

  func monotonic(at now: UInt64) -> UInt64 {
    let passed = now &- moment
    return drift == 0 ? monotonic &+ passed : monotonic &+ stretched(passed)
  }

  func wall(at now: UInt64) -> Int64 {
    Int64(truncatingIfNeeded: monotonic(at: now)) &+ wallOffset
  }

  /// The first moment of the world at which monotonic time is at least `time`.
  func moment(ofMonotonic time: UInt64) -> UInt64 {
    guard time > monotonic else { return moment }
    let wanted = time - monotonic
    guard drift != 0 else { return moment.addingSaturated(wanted) }
    // One part in 10^9 of the quotient is lost by rounding; the loop ends after a step or two.
    let rate = UInt64(1_000_000_000 + drift)
    let (high, low) = wanted.multipliedFullWidth(by: 1_000_000_000)
    guard high < rate else { return .max }
    var passed = rate.dividingFullWidth((high, low)).quotient
    while stretched(passed) < wanted { passed += 1 }
    return moment.addingSaturated(passed)
  }

  /// `passed` nanoseconds of the world, as this clock counts them.
  private func stretched(_ passed: UInt64) -> UInt64 {
    let rate = UInt64(1_000_000_000 + drift)
    let (high, low) = passed.multipliedFullWidth(by: rate)
    return UInt64(1_000_000_000).dividingFullWidth((high, low)).quotient
  }

  /// Changes how fast the clock runs from now on.
  mutating func setDrift(_ parts: Int64, at now: UInt64) {
    monotonic = monotonic(at: now)
    moment = now
    drift = min(max(parts, -Self.maximumDrift), Self.maximumDrift)
  }

  /// Steps the wall clock; monotonic time goes on as before.
  mutating func step(by nanoseconds: Int64) { wallOffset &+= nanoseconds }

  /// Begins monotonic time anew, as a computer does that was switched on; the wall clock, which
  /// has a battery, goes on.
  mutating func powerOn(at now: UInt64) {
    let wall = wall(at: now)
    moment = now
    monotonic = Self.monotonicAtPowerOn
    wallOffset = wall &- Int64(Self.monotonicAtPowerOn)
  }
}

extension UInt64 {
  func addingSaturated(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
