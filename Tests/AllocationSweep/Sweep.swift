import Glibc
import LuaHost

/// Runs points in child processes, some at a time, and collects what they came to.
struct Sweep {
  /// At most this many failing allocations are tried for a script and a mode.
  static let limit: UInt64 = 2000
  let sources: [String: [UInt8]]
  let jobs: Int
  private var running: [pid_t: (point: Point, pipe: Int32)] = [:]
  private(set) var points = 0
  private(set) var findings = 0
  private var last: UInt64 = 0

  init(sources: [String: [UInt8]], jobs: Int) {
    self.sources = sources
    self.jobs = jobs
  }

  /// Fails allocation `from`, from + step, … until a run makes fewer. Returns how many there are.
  mutating func sweep(_ template: Point, from: UInt64, step: UInt64) -> UInt64 {
    last = template.isOpening ? .max : Self.limit
    var point = template
    point.first = from
    while point.first <= last {
      start(point)
      while running.count >= jobs { collect() }
      point.first += step
    }
    while !running.isEmpty { collect() }
    return last
  }

  /// Runs one point and prints all about it.
  mutating func show(_ point: Point) {
    start(point)
    while let (pid, entry) = running.first {
      let outcome = wait(pid, entry.pipe)
      print("\(outcome.verdict), \(outcome.allocations) allocations\n\(outcome.text)")
      if !outcome.verdict.isFine { findings += 1 }
    }
  }

  private mutating func start(_ point: Point) {
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { fatalError("no pipe") }
    let child = Process.fork()
    if child == 0 {
      close(ends[0])
      Child.run(point, source: sources[point.script] ?? [], pipe: ends[1])
    }
    close(ends[1])
    guard child > 0 else { fatalError("no process") }
    running[child] = (point, ends[0])
    points += 1
  }

  private mutating func collect() {
    var status: Int32 = 0
    var info = unsafe siginfo_t()
    // Which one has ended; its output is read before it is reaped.
    guard unsafe waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0,
      let (pid, entry) = running.first(where: { pid, _ in
        unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT | WNOHANG) == 0
          && info.si_signo == SIGCHLD
      })
    else {
      // Nothing that is ours: wait for any.
      guard let (pid, entry) = running.first else { return }
      _ = unsafe waitpid(pid, &status, 0)
      running[pid] = nil
      close(entry.pipe)
      return
    }
    let point = entry.point
    let outcome = wait(pid, entry.pipe)
    if outcome.allocations < point.first { last = min(last, point.first - 1) }
    guard case .finding(let what) = outcome.verdict else { return }
    findings += 1
    print("FINDING \(what): \(Options.command(for: point))")
    for line in outcome.text.split(separator: "\n").prefix(12) { print("    \(line)") }
  }

  private mutating func wait(_ pid: pid_t, _ pipe: Int32) -> Outcome {
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe read(pipe, &room, room.count)
      guard count > 0 else { break }
      bytes += room[..<count]
    }
    close(pipe)
    var status: Int32 = 0
    _ = unsafe waitpid(pid, &status, 0)
    running[pid] = nil
    return Outcome(reading: String(decoding: bytes, as: UTF8.self), status: status)
  }
}

enum Process {
  private typealias Fork = @convention(c) () -> pid_t

  /// fork(2), which Swift hides because most processes have threads. This one has none.
  static func fork() -> pid_t {
    guard let symbol = unsafe dlsym(nil, "fork") else { return -1 }
    fflush(nil)
    return unsafe unsafeBitCast(symbol, to: Fork.self)()
  }
}
