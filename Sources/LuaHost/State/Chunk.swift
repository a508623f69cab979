import CLua

/// A piece of Lua source, and what messages call it.
public struct Chunk: Sendable {
  /// Source, never bytecode. Any bytes.
  public var source: [UInt8]
  /// `@file.lua`, or `=text` for what is no file.
  public var name: String

  public init(_ source: [UInt8], name: String) {
    self.source = source
    self.name = name
  }

  public init(_ source: String, name: String) {
    self.init(Array(source.utf8), name: name)
  }
}

extension LuaHost {
  /// Loads a chunk of Lua source (never bytecode) as the body of a new task.
  ///
  /// - Parameter name: what messages call it: `@file.lua` or `=text`.
  /// - Throws: `LuaError.syntax` with the position, or `.outOfMemory`.
  @discardableResult
  public func load(
    _ source: String, name: String = "=script", arguments: [Value] = []
  ) throws(LuaError) -> TaskID {
    try load([Chunk(source, name: name)], arguments: arguments)
  }

  /// Loads chunks as the body of one new task, in which they run one after another.
  ///
  /// All are compiled before the first one runs. The last gets the arguments, and what it returns
  /// is the task's result.
  ///
  /// - Throws: `LuaError.syntax` with the position, or `.outOfMemory`.
  @discardableResult
  public func load(_ chunks: [Chunk], arguments: [Value] = []) throws(LuaError) -> TaskID {
    try setSearchPath()
    arena.clear()
    let sources = unsafe chunks.map { chunk in
      // The arena outlives the call; a name is read as a C string, up to its NUL.
      let source = unsafe chunk.source.withUnsafeBytes { unsafe arena.bytes($0) }
      let name = unsafe arena.text(chunk.name + "\0")
      return unsafe lr_chunk_source(
        bytes: source.baseAddress?.assumingMemoryBound(to: CChar.self), length: source.count,
        name: name.baseAddress?.assumingMemoryBound(to: CChar.self))
    }
    let values = unsafe arena.values(arguments)
    let task = unsafe lr_task_load(raw, sources, sources.count, values, arguments.count)
    guard let task = unsafe task else { throw lastError(LuaError.syntax) }
    unsafe scheduler.start(task, parent: nil, flags: UInt32(LR_TASK_MAIN))
    return unsafe TaskID(slot: task.pointee.slot, generation: task.pointee.generation)
  }

  /// Sets the global `arg`, as `lua` does: `words[script]` becomes `arg[0]`, what follows it
  /// `arg[1]` and so on, and what stands before it gets negative numbers.
  ///
  /// - Throws: `LuaError.outOfMemory`.
  public func setArguments(_ words: [Value], script: Int) throws(LuaError) {
    arena.clear()
    let values = unsafe arena.values(words)
    let script = Int32(clamping: script)
    if unsafe lr_set_arguments(raw, values, words.count, script) != 0 {
      throw lastError(LuaError.definition)
    }
  }
}
