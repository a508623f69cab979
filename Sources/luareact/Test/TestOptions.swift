import ArgumentParser
import Glibc

/// The options of `luareact test`.
struct TestOptions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "luareact test",
    abstract: "Runs the tests in Lua files, each file in a process of its own.",
    discussion: """
      A folder stands for the .lua files in it and below, but for names that begin with . or _ \
      and for folders named support; modules are found in it, and beside each file. \
      A file that defines no test by reactor.test is one test: it passes when it ends without an \
      error.
      """)

  @Option(
    name: [.customShort("j", allowingJoined: true), .long],
    help: ArgumentHelp("How many files run at a time.", valueName: "n"))
  var jobs = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Run the tests with this text in \"FILE > group > test\".", valueName: "text"))
  var filter: String?

  @Option(
    help: ArgumentHelp("How long a test may take that says nothing else.", valueName: "seconds"))
  var timeout = 30.0

  @Flag(help: "Report as Test Anything Protocol.")
  var tap = false

  @Option(help: ArgumentHelp("Write a report as JUnit's XML, too.", valueName: "file"))
  var junit: String?

  @Flag(name: .shortAndLong, help: "Name the tests that pass, too.")
  var verbose = false

  /// This is the process of one file; what happens is written to descriptor 3.
  @Flag(help: .hidden)
  var child = false

  /// Where a child looks for modules, after the folder of its file.
  @Option(help: .hidden)
  var folder: [String] = []

  @Argument(help: ArgumentHelp("Folders and files with tests.", valueName: "path"))
  var paths: [String]

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs is at least 1") }
    if !(timeout > 0) { throw ValidationError("--timeout is more than 0") }
  }

  /// Reads what follows the word `test`.
  static func read(_ words: Words) -> Invocation.Outcome {
    do {
      return .test(try parse(words.text(from: 2)))
    } catch {
      return stop(error)
    }
  }

  func run() throws -> Int32 {
    child ? try TestFile(self).run() : try TestRun(self).run()
  }
}
