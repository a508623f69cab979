/// What can go wrong between Swift and a script.
public enum LuaError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The source does not parse. The text has file and line.
  case syntax(String)
  /// A script raised. The text has the message and the traceback.
  case script(String)
  /// A definition that Lua cannot take: the text says which.
  case definition(String)
  /// What scripts see cannot be made the same in every run. The text says why.
  case unpinned(String)
  case outOfMemory

  public var description: String {
    switch self {
    case .syntax(let text), .script(let text), .definition(let text): text
    case .unpinned(let why): "runs cannot be made repeatable here: \(why)"
    case .outOfMemory: "not enough memory"
    }
  }
}

/// How a run ended.
public enum ExitStatus: Sendable, Equatable {
  /// All tasks ended well.
  case done
  /// A task failed with an error that nobody took, or tasks were stuck. Both were reported.
  case failed
  /// A script asked for this exit code.
  case code(Int32)
}

/// The name of a task: stays harmless after the task has ended.
public struct TaskID: Sendable, Hashable {
  let slot: UInt32
  let generation: UInt32
}
