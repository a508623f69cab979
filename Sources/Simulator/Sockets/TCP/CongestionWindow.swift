/// How much may be on its way: slow start, congestion avoidance, fast recovery.
/// Source: RFC 5681, RFC 6582 (NewReno).
struct CongestionWindow {
  private let segment: UInt64
  /// Bytes.
  private(set) var size: UInt64
  private(set) var threshold = UInt64.max
  private(set) var duplicates = 0
  /// What had been sent when a loss was noticed; nil when none is being repaired.
  private(set) var recovery: UInt64?
  /// What had been sent when the timer ran out: until that is acknowledged, what is sent again
  /// draws duplicates that tell of no new loss.
  private var mark: UInt64 = 0

  init(segment: Int) {
    self.segment = UInt64(segment)
    size = self.segment * UInt64(TCPLimits.firstWindow)
  }

  /// `bytes` were acknowledged, up to `position`. Returns whether the next hole is to be sent
  /// again at once (a partial acknowledgement).
  mutating func acknowledged(_ bytes: UInt64, upTo position: UInt64) -> Bool {
    duplicates = 0
    if let end = recovery {
      if position < end {
        size = max(size > bytes ? size - bytes : 0, segment) + segment
        return true
      }
      recovery = nil
      size = max(threshold, 2 * segment)
      return false
    }
    size += size < threshold ? min(bytes, 2 * segment) : max(segment * segment / size, 1)
    return false
  }

  /// Another acknowledgement of the same position. Returns whether the segment there is to be
  /// sent again: it is the third one.
  mutating func duplicated(at position: UInt64, inFlight: UInt64, sent: UInt64) -> Bool {
    guard position >= mark else { return false }
    if recovery != nil {
      size += segment
      return false
    }
    duplicates += 1
    guard duplicates == 3 else { return false }
    threshold = max(inFlight / 2, 2 * segment)
    size = threshold + 3 * segment
    recovery = sent
    return true
  }

  /// The timer ran out.
  mutating func timedOut(inFlight: UInt64, sent: UInt64, isFirst: Bool) {
    if isFirst { threshold = max(inFlight / 2, 2 * segment) }
    mark = sent
    size = segment
    recovery = nil
    duplicates = 0
  }
}
