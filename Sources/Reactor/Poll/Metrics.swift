/// Counters of one driver since it was made. Times are nanoseconds.
public struct Metrics: Sendable {
  /// Registrations made, and ended.
  public var registered: UInt64 = 0
  public var deregistered: UInt64 = 0
  /// Events that reached a registration, and events that were dropped because it was gone.
  public var readyEvents: UInt64 = 0
  public var staleEvents: UInt64 = 0
  /// Attempts that found nothing although readiness was reported.
  public var spuriousWakeups: UInt64 = 0
  /// Attempts on a closed or failed descriptor that found nothing, and waited instead of spinning.
  public var spinsAvoided: UInt64 = 0
  /// Turns of the driver, and the longest time between the end of a poll and the next one, which
  /// is kept while `Driver.measuresTime` is set.
  public var turns: UInt64 = 0
  public var longestTurn: UInt64 = 0
  /// The longest time that one task ran without waiting.
  public var longestResume: UInt64 = 0
  /// Errors of accept(2) other than "nothing to accept".
  public var acceptErrors: UInt64 = 0

  public init() {}
}
