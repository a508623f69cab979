import Foundation
import Testing

/// The states of `scripts/tests/idle.lua`, each in a process of its own and seen from outside too:
/// system calls as strace counts them, processor time as the kernel does.
@Suite struct `A process in which nothing happens` {
  @Test func `makes at most 20 turns a second and uses less than 1 percent of a processor`() throws
  {
    let seconds = isSoak ? 5 : 1
    let names = try luareact("scripts/tests/idle.lua", "list").output.split(separator: "\n")
    #expect(names.count == 12)
    var watched = try names.map { try Watched(state: String($0)) }
    // All at once: the whole costs one window.
    for index in watched.indices { try watched[index].begin(seconds: seconds) }
    for index in watched.indices {
      let figures = try watched[index].end()
      print("idle, \(names[index]): \(figures)")
      #expect(figures.turns <= 20, "\(names[index])")
      #expect(figures.calls ?? 0 <= 60, "\(names[index])")
      #expect(figures.ownShare < 1, "\(names[index])")
      // The kernel counts in ticks, of which one may fall into any window.
      #expect(figures.ticks <= 1 + figures.seconds, "\(names[index])")
    }
  }
}

/// Figures a second.
private struct Figures: CustomStringConvertible {
  var seconds: Double
  var turns: Double
  /// nil: strace may not attach here.
  var calls: Double?
  /// Processor time as the process knows it, in percent, and in ticks of /proc/PID/stat.
  var ownShare: Double
  var ticks: Double

  var description: String {
    let calls = calls.map { String(format: "%.1f system calls/s", $0) } ?? "no strace"
    return String(
      format: "%.1f turns/s, %@, %.2f %% CPU (%.0f ticks) over %.1f s", turns, calls as NSString,
      ownShare, ticks, seconds)
  }
}

private struct Watched {
  private let child: Child
  private let trace: Folder
  private var strace: Child?
  private var before = (turns: 0.0, processor: 0.0, ticks: 0.0, time: 0.0)

  init(state: String) throws {
    trace = try Folder([:])
    child = try Child(Paths.command, ["scripts/tests/idle.lua", state])
    let line = try child.readLine()
    if line != "ready" { throw Child.Failure(description: line) }
  }

  mutating func begin(seconds: Int) throws {
    let strace = ["strace", "-c", "-f", "-p", "\(child.pid)", "-o", trace.path + "/calls"]
    self.strace = try Child("timeout", ["-s", "INT", "\(seconds)"] + strace)
    before = try sample()
  }

  mutating func end() throws -> Figures {
    let errors = try strace?.finish().errors ?? ""
    if errors.contains("ptrace(") { _ = try run("sleep", ["1"]) }
    let after = try sample()
    child.endInput()
    #expect(try child.finish().code == 0)
    let seconds = after.time - before.time
    return Figures(
      seconds: seconds, turns: (after.turns - before.turns) / seconds,
      calls: errors.contains("ptrace(") ? nil : try calls() / seconds,
      ownShare: (after.processor - before.processor) / seconds * 100,
      ticks: after.ticks - before.ticks)
  }

  private func sample() throws -> (turns: Double, processor: Double, ticks: Double, time: Double) {
    try child.write("\n")
    let words = try child.readLine().split(separator: " ").compactMap { Double($0) }
    let stat = try String(contentsOfFile: "/proc/\(child.pid)/stat", encoding: .utf8)
    // The fields behind the name, of which utime and stime are the 12th and 13th; proc(5).
    let fields = stat.split(separator: ")").last?.split(separator: " ").map { Double($0) ?? 0 }
    guard words.count == 2, let fields, fields.count > 13 else {
      throw Child.Failure(description: "no figures")
    }
    return (words[0], words[1], fields[11] + fields[12], ProcessInfo.processInfo.systemUptime)
  }

  /// All system calls that strace saw.
  private func calls() throws -> Double {
    let table = try String(contentsOfFile: trace.path + "/calls", encoding: .utf8)
    let total = table.split(separator: "\n").last { $0.hasSuffix(" total") }
    // No table: there was no call.
    return total.flatMap { Double($0.split(separator: " ")[3]) } ?? 0
  }
}
