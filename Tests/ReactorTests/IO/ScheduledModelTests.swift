import Glibc
import Testing

@testable import Reactor

/// A pipe whose bytes are a number: it knows when a reader may not wait.
///
/// Events come as edges, some of them late or without cause; readers come, are cancelled, time
/// out and end. Whenever everything has been delivered and everybody has run, nobody may wait
/// while bytes are there.
private struct PipeModel {
  let scripted = ScriptedDriver()
  let registration: Registration
  let tasks: [TestTask]
  var bytes = 0
  var isReported = true
  var taken = 0
  var added = 0
  /// Who waits, in the order in which they came.
  var waiting: [Int] = []

  init(readers: Int) throws {
    registration = try scripted.register(3)
    let driver = scripted.driver
    tasks = (0..<readers).map { _ in TestTask(driver) }
  }

  mutating func add(_ count: Int) {
    bytes += count
    added += count
    isReported = false
  }

  /// A turn; the kernel reports data that came since, or makes noise.
  mutating func turn(noise: Ready) throws {
    var ready = noise
    if !isReported { ready.insert(.readable) }
    isReported = true
    try scripted.turn((registration, ready))
  }

  /// One read of one byte by a task. Returns what is wrong.
  mutating func read(_ index: Int, _ caller: Caller) -> String? {
    let isFirst = caller.reason == .first
    if isFirst && waiting.contains(index) { return nil }
    var (left, ran) = (bytes, false)
    let attempt = registration.attempt(.read, wanted: 0, caller) { _ in
      ran = true
      if left == 0 { return -Int(EAGAIN) }
      left -= 1
      return 1
    }
    if ran, let first = waiting.first(where: { hasPlace($0) }), first != index {
      return "\(index) ran before \(first)"
    }
    taken += bytes - left
    bytes = left
    switch attempt {
    case .parked: if isFirst { waiting.append(index) }
    default: waiting.removeAll { $0 == index }
    }
    return nil
  }

  /// Whether a task stands in line: its wait did not end for another reason.
  func hasPlace(_ index: Int) -> Bool {
    unsafe tasks[index].waiter.pointee.state == .parked
      || tasks[index].waiter.pointee.reason == .ready
  }

  mutating func runAll() -> String? {
    while let woken = unsafe scripted.driver.waits.nextWoken() {
      guard let index = tasks.firstIndex(where: { unsafe $0.waiter == woken }) else {
        return "a stranger"
      }
      if let wrong = read(index, tasks[index].again) { return wrong }
    }
    return nil
  }

  /// Delivers and runs all. Nobody may wait then while there are bytes.
  mutating func settle() throws -> String? {
    if let wrong = runAll() { return wrong }
    try turn(noise: [])
    if let wrong = runAll() { return wrong }
    if bytes > 0, !waiting.isEmpty { return "\(waiting) wait while \(bytes) bytes are there" }
    return added == bytes + taken ? nil : "\(added) came, \(taken) were taken, \(bytes) are left"
  }
}

@Suite(.timeLimit(.minutes(5))) struct `No readiness is ever lost` {
  private static let seeds = environmentNumber("LUAREACT_SEEDS") ?? 500

  @Test(arguments: 0..<4)
  func `in random orders of data, noise, cancels, deadlines and clears`(part: Int) throws {
    let steps = Self.seeds > 500 ? 2_000 : 400
    for seed in stride(from: part, to: Self.seeds, by: 4) {
      if let wrong = try Self.drive(seed: seed, steps: steps) {
        Issue.record("seed \(seed): \(wrong)")
        return
      }
    }
  }

  private static func drive(seed: Int, steps: Int) throws -> String? {
    var random = CounterRandom(seed: UInt64(seed) + 1 << 32)
    var pipe = try PipeModel(readers: 1 + random.next(4))
    let driver = pipe.scripted.driver
    var old: ReadyEvent?
    for step in 0..<steps {
      let index = random.next(pipe.tasks.count)
      switch random.next(12) {
      case 0, 1: pipe.add(1 + random.next(3))
      case 2: try pipe.turn(noise: [.writable, .readable, .error][random.next(3)])
      case 3: try pipe.turn(noise: [])
      case 4: unsafe driver.waits.cancel(pipe.tasks[index].waiter)
      case 5: old = pipe.registration.readyEvent(.read)
      case 6:
        // A clear with an old event must not hide what came since. (One with a new event would
        // say that nothing is there, which only an attempt may say.)
        let now = unsafe pipe.registration.io.pointee.readGeneration
        if let event = old, event.readGeneration < now {
          pipe.registration.clearReadiness(event)
        }
      case 7:
        if let wrong = try pipe.settle() { return "step \(step): \(wrong)" }
      case 8, 9:
        if let woken = unsafe driver.waits.nextWoken(),
          let index = pipe.tasks.firstIndex(where: { unsafe $0.waiter == woken }),
          let wrong = pipe.read(index, pipe.tasks[index].again)
        {
          return "step \(step): \(wrong)"
        }
      default:
        let deadline = random.next(4) == 0 ? pipe.scripted.kernel.now + 1 : UInt64.max
        let caller = pipe.tasks[index].caller(.first, deadline: deadline)
        guard unsafe caller.waiter?.pointee.state == .idle else { continue }
        if random.next(8) == 0 { pipe.scripted.kernel.now += 1 }
        if let wrong = pipe.read(index, caller) { return "step \(step): \(wrong)" }
      }
    }
    return try pipe.settle().map { "at the end: \($0)" }
  }
}
