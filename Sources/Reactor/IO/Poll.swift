/// What a call by a waiter came to. No such call blocks.
public enum Poll<Success> {
  /// It is there.
  case ready(Success)
  /// The waiter waits. Call again when `Driver.nextWoken()` names it.
  case pending
  /// The kernel refused.
  case failed(SystemError)
  /// The wait is over without a result: `.timeout`, `.cancelled`, `.closed` (the registration or
  /// the waiter is gone) or `.shutdown`.
  case ended(WakeReason)
}

extension Poll: Sendable where Success: Sendable {}
extension Poll: Equatable where Success: Equatable {}
