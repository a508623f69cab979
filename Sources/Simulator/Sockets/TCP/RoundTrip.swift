/// The time that a segment and its acknowledgement take, and the timeout that follows from it, in
/// nanoseconds. Source: RFC 6298.
struct RoundTrip {
  private(set) var smoothed: UInt64 = 0
  private var variation: UInt64 = 0
  /// How often the timeout was doubled since the last answer.
  private(set) var backoff = 0
  private var base = TCPLimits.firstTimeout

  var timeout: UInt64 { min(base << UInt64(min(backoff, 10)), TCPLimits.longestTimeout) }

  mutating func measured(_ time: UInt64) {
    if smoothed == 0 {
      smoothed = max(time, 1)
      variation = time / 2
    } else {
      let off = time > smoothed ? time - smoothed : smoothed - time
      variation = (3 * variation + off) / 4
      smoothed = (7 * smoothed + time) / 8
    }
    // As Linux, the margin has a floor, not the sum: a steady link gets 200 ms above its time.
    base = min(
      smoothed + max(4 * variation, TCPLimits.leastTimeout), TCPLimits.longestTimeout)
    backoff = 0
  }

  mutating func backOff() { backoff += 1 }
  mutating func answered() { backoff = 0 }
}
