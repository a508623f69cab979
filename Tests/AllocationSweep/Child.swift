import Glibc
import LuaHost
import Reactor

/// What one run looks like from inside the process that makes it.
enum Child {
  /// Seconds after which a run counts as hung.
  static let patience: UInt32 = 20

  /// Runs `point` and never returns. Standard error goes to `pipe`, and so does the verdict.
  static func run(_ point: Point, source: [UInt8], pipe: Int32) -> Never {
    alarm(patience)
    let null = unsafe open("/dev/null", O_RDWR)
    dup2(null, 0)
    dup2(null, 1)
    dup2(pipe, 2)
    close(null)
    let before = openDescriptors()
    var outcome = script(point, source)
    if outcome.verdict.isFine, openDescriptors() != before {
      outcome.verdict = .finding("\(openDescriptors() - before) descriptors leaked")
    }
    outcome.write(to: pipe)
    _exit(0)
  }

  /// Opens a host, runs the script and closes the host, with memory failing as `point` says.
  private static func script(_ point: Point, _ source: [UInt8]) -> Outcome {
    var reports: [String] = []
    var isDone = false
    if point.isOpening { LuaHost.failOpening(point.first, point.mode) }
    do {
      let host = try LuaHost(kernel: LinuxKernel())
      host.onReport = { reports.append($0) }
      try host.define("done") { _ in
        isDone = true
        return []
      }
      if !point.isOpening { host.failAllocation(point.first, point.mode) }
      let status = try run(host, source, point.script)
      let count = host.allocationCount
      host.shutdown()
      return Outcome(
        verdict: judge(host, status, reports, isDone: isDone, fails: expectedFailure(source)),
        allocations: count,
        text: reports.joined(separator: "\n"))
    } catch LuaError.outOfMemory {
      return Outcome(verdict: .noMemory, allocations: .max, text: "")
    } catch {
      return Outcome(verdict: .finding("threw \(error)"), allocations: .max, text: "")
    }
  }

  private static func run(
    _ host: LuaHost, _ source: [UInt8], _ name: String
  ) throws -> ExitStatus {
    try host.load([Chunk(source, name: "@" + name)])
    return try host.run()
  }

  private static func judge(
    _ host: LuaHost, _ status: ExitStatus, _ reports: [String], isDone: Bool, fails: String?
  ) -> Verdict {
    if reports.contains(where: { $0.hasPrefix("stuck:") }) { return .finding("stuck") }
    if host.openHandleCount != 0 { return .finding("\(host.openHandleCount) handles left") }
    if host.driver.registrationCount != 0 {
      return .finding("\(host.driver.registrationCount) registrations left")
    }
    if status == .done { return isDone ? .success : .finding("ended early, and said nothing") }
    if reports.contains(where: { $0.contains("not enough memory") }) { return .noMemory }
    if let fails, reports.contains(where: { $0.contains(fails) }) { return .success }
    return .finding("failed with another error")
  }

  /// What a script says after `-- fails: `, when it is meant to fail.
  private static func expectedFailure(_ source: [UInt8]) -> String? {
    let text = String(decoding: source, as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("-- fails: ") }
    return line.map { String($0.dropFirst(10)) }
  }

  /// How many descriptors this process has.
  private static func openDescriptors() -> Int {
    var count = 0
    for fd in 0..<Int32(256) where fcntl(fd, F_GETFD) >= 0 { count += 1 }
    return count
  }
}
