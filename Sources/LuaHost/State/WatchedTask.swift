import CLua
import Reactor

/// The task whose outcome `LuaHost.run(_:)` returns.
struct WatchedTask {
  let task: TaskID
  var outcome: Result<Value, LuaError>?
}

extension LuaHost {
  /// Runs a script to its end, its tasks included, and returns the first value that it returned.
  ///
  /// Lists and tables have no plain form on the way out: they come as `.nil`. Tasks that were
  /// loaded before run along.
  ///
  /// ```swift
  /// let answer = try host.run("return require 'app'.add(1, 2)")  // .integer(3)
  /// ```
  ///
  /// - Throws: `LuaError.syntax`; `.script` with message and traceback when the script, or a task
  ///   that belongs to it, failed, or when nothing could wake it any more; `.outOfMemory`;
  ///   `SystemError` when the kernel cannot wait.
  public func run(
    _ source: String, name: String = "=script", arguments: [Value] = []
  ) throws -> Value {
    watched = WatchedTask(task: try load(source, name: name, arguments: arguments), outcome: nil)
    defer { watched = nil }
    _ = try run()
    guard let outcome = watched?.outcome else {
      throw LuaError.script("the script did not come to its end")
    }
    return try outcome.get()
  }

  private func isWatched(_ task: UnsafeMutablePointer<lr_task>) -> Bool {
    unsafe watched?.task == TaskID(slot: task.pointee.slot, generation: task.pointee.generation)
  }

  /// Keeps the result of a task that has ended well, while it is still there.
  func noteResult(of task: UnsafeMutablePointer<lr_task>) {
    if unsafe isWatched(task) {
      watched?.outcome = unsafe .success(Value(lr_task_value(raw, task)))
    }
  }

  /// Whether somebody waits for the failure of this task: then it is not reported.
  func takesFailure(of task: UnsafeMutablePointer<lr_task>, _ error: String) -> Bool {
    if testWatch != nil {  // it is the failure of a test
      testWatch?.reports.append(error)
      return true
    }
    guard unsafe isWatched(task) else { return false }
    watched?.outcome = .failure(error == "not enough memory" ? .outOfMemory : .script(error))
    return true
  }

  /// Called by C with each warning that is for people.
  static let tellWarning:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int) -> Void = {
      context, bytes, count in
      guard let context = unsafe context else { return }
      let host = unsafe Unmanaged<LuaHost>.fromOpaque(context).takeUnretainedValue()
      let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
      // os.exit in a finalizer ends it by an error, which is nobody's mistake.
      if host.scheduler.isExiting { return }
      unsafe host.report("warning: " + String(decoding: bytes, as: UTF8.self))
    }
}
