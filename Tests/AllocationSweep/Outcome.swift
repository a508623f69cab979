import Glibc
import LuaHost

/// One run: a script, and which allocations fail in it.
struct Point {
  var script: String
  var mode: LuaHost.FailureMode
  var first: UInt64
  /// Whether the count starts with the opening of the host.
  var isOpening: Bool
}

enum Verdict: Equatable {
  case success
  /// The script or the host said "not enough memory".
  case noMemory
  case finding(String)

  var isFine: Bool {
    if case .finding = self { return false }
    return true
  }
}

/// How a run ended, as it travels from the child to the tool: a line, then what was reported.
struct Outcome {
  var verdict: Verdict
  var allocations: UInt64
  var text: String

  private static let mark = "\u{1}verdict "

  func write(to fd: Int32) {
    let word =
      switch verdict {
      case .success: "success"
      case .noMemory: "memory"
      case .finding(let what): what
      }
    var line = String(text.prefix(8000)) + "\n\(Self.mark)\(allocations) \(word)\n"
    line.withUTF8 { _ = unsafe Glibc.write(fd, $0.baseAddress, $0.count) }
  }

  init(verdict: Verdict, allocations: UInt64, text: String) {
    self.verdict = verdict
    self.allocations = allocations
    self.text = text
  }

  /// Reads what a child wrote; `status` is waitpid's.
  init(reading text: String, status: Int32) {
    self.text = text
    allocations = .max
    let signal = status & 0x7f
    guard signal == 0, let line = text.split(separator: "\n").last,
      line.hasPrefix(Self.mark)
    else {
      let how = signal == SIGALRM ? "hung" : signal == 0 ? "exited" : "signal \(signal)"
      verdict = .finding(how)
      return
    }
    let words = line.dropFirst(Self.mark.count).split(separator: " ", maxSplits: 1)
    allocations = UInt64(words[0]) ?? .max
    switch words[1] {
    case "success": verdict = .success
    case "memory": verdict = .noMemory
    default: verdict = .finding(String(words[1]))
    }
    if text.contains("luareact: panic") { verdict = .finding("panic") }
  }
}
