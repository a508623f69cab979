import Glibc

/// What a command line asks for.
struct Invocation {
  /// A chunk that runs before the script: `-e`, `-l` or `-W`.
  enum Step {
    case statement(String)
    case module(String)
  }

  enum Outcome {
    case run(Invocation)
    /// Stock Lua; the index of the word `--plain`.
    case plain(Int)
    case test(TestOptions)
    /// Nothing runs: help was given, or the command line was not understood.
    case stop(Int32)
  }

  /// In the order of the command line.
  var steps: [Step] = []
  /// The index of the word that names the script; nil: there is none.
  var script: Int?
  var isInteractive = false
  var showsVersion = false
  var readsEnvironment = true
  var warns = false

  /// Whether standard input is the script: the word is `-`, or there was nothing else to do.
  func readsStandardInput(_ words: Words) -> Bool {
    if let script { return words[script] == [UInt8(ascii: "-")] && !followsDashes(script, words) }
    return steps.isEmpty && !showsVersion && !isInteractive
  }

  /// After `--` a word `-` is a file of that name.
  private func followsDashes(_ index: Int, _ words: Words) -> Bool {
    words[index - 1] == Array("--".utf8)
  }

  /// Reads a command line. One without options is not parsed at all: its first word is the
  /// script, and everything else is the script's.
  static func parse(_ words: Words) -> Outcome {
    if words.count < 2 { return .run(Invocation()) }
    if words[1] == Array("test".utf8) { return TestOptions.read(words) }
    if words[1].first != UInt8(ascii: "-") || words[1].count == 1 {
      var invocation = Invocation()
      invocation.script = 1
      return .run(invocation)
    }
    if words[1] == Array("--plain".utf8) { return .plain(1) }
    return Options.read(words)
  }
}
