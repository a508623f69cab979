import Foundation

/// A run of the command under strace(1), which makes calls fail that by themselves never do.
struct Strace {
  /// Whether one process may trace another. Containers often forbid it.
  static let isPermitted: Bool = {
    let probe = try? run("strace", ["-qq", "-e", "trace=none", "true"])
    return probe?.code == 0
  }()

  /// 124: it took longer than 30 seconds.
  let result: Child.Result
  /// The calls that were traced, without what began in one line and ended in another.
  let calls: [String]

  /// How many calls failed because they were told to.
  var faultCount: Int { calls.count { $0.hasSuffix("(INJECTED)") } }

  /// - Parameter faults: as strace takes them, such as "close:error=EIO:when=3+2". Each thread
  ///   counts its own calls.
  /// - Parameter trace: the calls to write down, separated by commas.
  init(_ faults: [String], trace: String, _ arguments: String..., input: String = "") throws {
    let folder = try Folder([:])
    let log = folder.path + "/calls"
    // A signal to strace ends the command as well; one that nothing survives would not.
    var words = ["--kill-after=10", "30", "strace", "-f", "-qq", "-o", log]
    words += ["-e", "signal=none", "-e", "trace=" + trace]
    words += faults.flatMap { ["-e", "inject=" + $0] }
    result = try run("timeout", words + [Paths.command] + arguments, input: input)
    let text = try String(contentsOfFile: log, encoding: .utf8)
    calls = text.split(separator: "\n").map { line in
      String(line.drop { $0.isNumber }.drop { $0 == " " })
    }
  }

  /// How often each of some calls is made: by a program that does nothing, and by a script.
  static func count(
    _ names: [String], _ script: String, input: String
  ) throws -> [(name: String, atStart: Int, all: Int)] {
    let start = try Strace([], trace: names.joined(separator: ","), "-e", "")
    let whole = try Strace([], trace: names.joined(separator: ","), script, input: input)
    return names.map { name in
      (
        name, start.calls.count { $0.hasPrefix(name + "(") },
        whole.calls.count { $0.hasPrefix(name + "(") }
      )
    }
  }
}
