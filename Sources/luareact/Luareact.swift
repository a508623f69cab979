import CLua
import Glibc
import LuaHost
import Reactor

/// The command: reads its words, runs the program, and ends with its exit code.
@main
enum Luareact {
  static func main() {
    ignoreBrokenPipes()
    raiseDescriptorLimit()
    let words = Words.ofProcess
    let code: Int32
    switch Invocation.parse(words) {
    case .stop(let status): code = status
    case .plain(let option): code = runPlain(words, option)
    case .run(let invocation): code = report { try Program(invocation, words).run() }
    case .test(let options): code = report { try options.run() }
    }
    exit(code)
  }

  /// Runs a program, and says why when it could not be.
  private static func report(_ program: () throws -> Int32) -> Int32 {
    do {
      return try program()
    } catch let error as UsageError {
      complain(error.text)
      return ExitCode.usage
    } catch {
      complain("\(error)")
      return ExitCode.failed
    }
  }

  /// Stock Lua, which never sees the word `--plain`.
  private static func runPlain(_ words: Words, _ option: Int) -> Int32 {
    let arguments = unsafe CommandLine.unsafeArgv
    var index = option
    while index < words.count {
      unsafe arguments[index] = unsafe arguments[index + 1]
      index += 1
    }
    return unsafe lr_run_plain(Int32(words.count - 1), arguments)
  }

  /// A write to a pipe that nobody reads is an error of that write, not the end of the process.
  /// A handler, unlike SIG_IGN, is not inherited by the programs that a script starts.
  private static func ignoreBrokenPipes() { signal(SIGPIPE) { _ in } }

  /// A server wants as many descriptors as it may have.
  private static func raiseDescriptorLimit() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < limit.rlim_max
    else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

/// What the process ends with.
enum ExitCode {
  static let done: Int32 = 0
  static let failed: Int32 = 1
  static let usage: Int32 = 2

  static func of(_ status: ExitStatus) -> Int32 {
    switch status {
    case .done: done
    case .failed: failed
    case .code(let code): code
    }
  }
}

/// A command line that cannot be carried out.
struct UsageError: Error {
  let text: String
}

/// Says on standard error why nothing runs.
func complain(_ text: String) { put("luareact: \(text)\n", 2) }

/// Writes a line on standard output at once: what the script prints comes after it.
func say(_ text: String) { put(text + "\n", 1) }

private func put(_ text: String, _ fd: Int32) { put(Array(text.utf8), fd) }

/// Writes all of `bytes` to a blocking descriptor. False: it does not take them any more.
@discardableResult
func put(_ bytes: [UInt8], _ fd: Int32) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let written = unsafe rest.withUnsafeBytes { unsafe write(fd, $0.baseAddress, $0.count) }
    if written < 0, errno != EINTR { return false }
    rest = rest.dropFirst(max(written, 0))
  }
  return true
}
