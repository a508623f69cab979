import ArgumentParser
import Synchronization

/// The options of the command, which are those of `lua`.
struct Options: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "luareact",
    abstract: "Runs Lua programs on an epoll reactor.",
    usage: "luareact [options] [script [args]]",
    discussion: "Without a script it runs standard input, or prompts on a terminal.",
    version: Version.text)

  @Option(
    name: .customShort("e", allowingJoined: true), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Execute the string before the script.", valueName: "stat"),
    transform: Placed.init)
  var statements: [Placed] = []

  @Option(
    name: .customShort("l", allowingJoined: true), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Require the module into the global of its name, or g=mod into g.", valueName: "mod"),
    transform: Placed.init)
  var modules: [Placed] = []

  @Flag(name: .customShort("i"), help: "Prompt for lines after the script.")
  var isInteractive = false

  @Flag(name: .customShort("v"), help: "Print the version.")
  var showsVersion = false

  @Flag(name: .customShort("E"), help: "Ignore LUA_INIT, LUA_PATH and LUA_CPATH.")
  var ignoresEnvironment = false

  @Flag(name: .customShort("W"), help: "Turn warnings on.")
  var warns = false

  @Flag(name: .customLong("plain"), help: "Run stock Lua, with nothing of luareact's in it.")
  var isPlain = false

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp(
      "The script, or - for standard input, and its arguments.", valueName: "script"))
  var rest: [String] = []

  func validate() throws {
    guard let word = rest.first, word.hasPrefix("-"), word != "-", word != "--" else { return }
    switch word {
    case "-h", "--help": throw CleanExit.helpRequest(self)
    case "--version": throw CleanExit.message(Version.text)
    default: throw ValidationError("unknown option '\(word)'")
    }
  }
}

/// The value of an option with its place among those that keep their order.
struct Placed: Sendable {
  let text: String
  let place: Int

  // The parser makes values in the order of the command line, of whichever option they are.
  private static let next = Atomic(0)

  @Sendable
  init(_ text: String) throws {
    self.text = text
    place = Self.next.wrappingAdd(1, ordering: .relaxed).oldValue
  }
}

extension ParsableCommand {
  /// Prints what the parser has to say: help, or what is wrong with the command line.
  static func stop(_ error: any Error) -> Invocation.Outcome {
    let text = fullMessage(for: error)
    guard exitCode(for: error).isSuccess else {
      complain(text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text)
      return .stop(ExitCode.usage)
    }
    say(text)
    return .stop(ExitCode.done)
  }
}

extension Options {
  /// Reads a command line that has options.
  static func read(_ words: Words) -> Invocation.Outcome {
    do {
      let options = try parse(words.text(from: 1))
      if options.isPlain {
        let plain = Array("--plain".utf8)
        return .plain((1..<words.count).first { words[$0] == plain } ?? 1)
      }
      return .run(options.invocation(words))
    } catch {
      return stop(error)
    }
  }

  private func invocation(_ words: Words) -> Invocation {
    var invocation = Invocation()
    let steps =
      statements.map { ($0.place, Invocation.Step.statement($0.text)) }
      + modules.map { ($0.place, .module($0.text)) }
    invocation.steps = steps.sorted { $0.0 < $1.0 }.map(\.1)
    let isEnded = rest.first == "--"
    if rest.count > (isEnded ? 1 : 0) {
      invocation.script = words.count - rest.count + (isEnded ? 1 : 0)
    }
    invocation.isInteractive = isInteractive
    invocation.showsVersion = showsVersion || isInteractive
    invocation.readsEnvironment = !ignoresEnvironment
    invocation.warns = warns
    return invocation
  }
}
