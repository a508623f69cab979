import Glibc
import LuaHost
import Reactor

/// One run: the chunks of a command line as the task "main" of a host.
struct Program {
  private let invocation: Invocation
  private let words: Words
  private let kernel: LinuxKernel

  init(_ invocation: Invocation, _ words: Words) throws {
    self.invocation = invocation
    self.words = words
    kernel = try LinuxKernel()
  }

  /// Runs, and returns the exit code.
  func run() throws -> Int32 {
    let interactive = invocation.isInteractive || promptsByItself
    if invocation.showsVersion || promptsByItself { say(Version.text) }
    let script = try readScript()
    let host = try LuaHost(kernel: kernel, readsEnvironment: invocation.readsEnvironment)
    host.reportPrefix = "luareact: "
    host.searchPaths = SearchPath.folders(script: scriptPath)
    try host.setArguments(
      (0..<words.count).map { .bytes(words[$0]) }, script: invocation.script ?? 0)
    var chunks = try before()
    if let script { chunks.append(script) }
    if interactive { chunks.append(Prompt.chunk) }
    if chunks.isEmpty { return ExitCode.done }
    try host.load(chunks, arguments: interactive ? [] : scriptArguments)
    return try ExitCode.of(host.run())
  }

  /// On a terminal a bare `luareact` prompts.
  private var promptsByItself: Bool {
    invocation.script == nil && invocation.readsStandardInput(words) && isatty(0) == 1
  }

  private var scriptArguments: [Value] {
    guard let script = invocation.script else { return [] }
    return (script + 1..<max(words.count, script + 1)).map { .bytes(words[$0]) }
  }

  // MARK: What runs before the script

  private func before() throws -> [Chunk] {
    var chunks = invocation.warns ? [Chunk("warn '@on'", name: "=(command line)")] : []
    if invocation.readsEnvironment, let chunk = try environmentChunk() { chunks.append(chunk) }
    chunks += invocation.steps.map { step in
      switch step {
      case .statement(let text): Chunk(text, name: "=(command line)")
      case .module(let text): Chunk(Self.requireStatement(text), name: "=(command line)")
      }
    }
    return chunks
  }

  /// LUA_INIT: source, or @ and the name of a file.
  private func environmentChunk() throws -> Chunk? {
    for name in ["LUA_INIT_5_4", "LUA_INIT"] {
      guard let text = kernel.environment(name) else { continue }
      if !text.hasPrefix("@") { return Chunk(text, name: "=" + name) }
      return try SourceFile(Array(text.utf8.dropFirst()), kernel).chunk
    }
    return nil
  }

  /// `mod`, or `global=mod`.
  private static func requireStatement(_ text: String) -> String {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let module = parts.last ?? ""
    return "_G[\(quoted(parts[0]))] = require(\(quoted(module)))"
  }

  /// A Lua string of any bytes.
  private static func quoted(_ text: Substring) -> String {
    "\"" + text.utf8.map { "\\x" + hex($0) }.joined() + "\""
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
  }

  // MARK: The script

  private var scriptPath: String? {
    if invocation.readsStandardInput(words) { return nil }
    return invocation.script.map(words.text)
  }

  private func readScript() throws -> Chunk? {
    if promptsByItself { return nil }
    if invocation.readsStandardInput(words) { return SourceFile.standardInput(kernel).chunk }
    guard let script = invocation.script else { return nil }
    return try SourceFile(words[script], kernel).chunk
  }
}
