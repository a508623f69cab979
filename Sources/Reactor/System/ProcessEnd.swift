/// How a process ended.
public enum ProcessEnd: Sendable, Equatable {
  /// By itself, with an exit code, 0...255.
  case exited(Int32)
  /// By a signal, of this number.
  case killed(Int32)
}
