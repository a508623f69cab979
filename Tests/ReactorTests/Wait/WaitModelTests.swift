import Glibc
import Testing

@testable import Reactor

@Suite(.timeLimit(.minutes(5))) struct `The wait primitive agrees with its model` {
  /// How many seeds the random drivers run; the steps of each are in proportion.
  private static let seeds = environmentNumber("LUAREACT_SEEDS") ?? 500
  private static let isLong = seeds > 500

  @Test(arguments: [(2, 1, 5), (3, 1, 4), (2, 2, 4), (3, 2, 3)])
  func `in every order of a few events`(waiters: Int, queues: Int, depth: Int) {
    let events = Self.events(waiters, queues)
    var sequences = 0
    var path: [WaitEvent] = []

    func explore(_ left: Int) {
      for event in events {
        path.append(event)
        defer { path.removeLast() }
        var comparison = WaitComparison(waiters: waiters, queues: queues)
        var before = comparison.model
        for step in path {
          before = comparison.model
          if let wrong = comparison.step(step) {
            Issue.record("\(path): \(wrong)")
            return
          }
        }
        sequences += 1
        // What changed nothing leads nowhere new.
        if left > 1, !comparison.model.isAs(before) { explore(left - 1) }
      }
    }
    explore(depth + (Self.isLong ? 1 : 0))
    #expect(sequences > 1_000)
  }

  @Test(arguments: 0..<8)
  func `in long random orders`(part: Int) {
    let steps = Self.isLong ? 10_000 : 2_000
    for seed in stride(from: part, to: Self.seeds, by: 8) {
      if let wrong = Self.drive(seed: seed, steps: steps) {
        Issue.record("LUAREACT_SEEDS \(seed + 1), seed \(seed): \(wrong)")
        return
      }
    }
  }

  private static func events(_ waiters: Int, _ queues: Int) -> [WaitEvent] {
    var events: [WaitEvent] = [.tick, .run(.isDone), .run(.waitsAgain)]
    events.append(.run(.waits(in: Array(0..<queues))))
    for queue in 0..<queues {
      events += [.grant(queue), .grantNext(queue), .complete(queue), .close(queue)]
      for waiter in 0..<waiters {
        events.append(.park(waiter, in: [queue], deadline: nil))
        events.append(.park(waiter, in: [queue], deadline: 1))
      }
    }
    for waiter in 0..<waiters where queues > 1 {
      events.append(.park(waiter, in: Array(0..<queues), deadline: 1))
    }
    return events + (0..<waiters).map { .cancel($0) }
  }

  /// Runs one seed. Returns what went wrong, and when.
  private static func drive(seed: Int, steps: Int) -> String? {
    var random = CounterRandom(seed: UInt64(seed))
    let (waiters, queues) = (2 + random.next(7), 1 + random.next(3))
    var comparison = WaitComparison(waiters: waiters, queues: queues)
    comparison.checksEvery = isLong ? 64 : 8
    for step in 0..<steps {
      let event = randomEvent(&random, waiters, queues)
      if let wrong = comparison.step(event) { return "step \(step), \(event): \(wrong)" }
    }
    // Every wait that is left ends, once.
    for queue in 0..<queues {
      if let wrong = comparison.step(.close(queue)) { return "at the end: \(wrong)" }
    }
    while !comparison.model.woken.isEmpty {
      if let wrong = comparison.step(.run(.isDone)) { return "at the end: \(wrong)" }
    }
    let isClean = comparison.model.members.allSatisfy { $0.waits == $0.ends }
    return isClean && comparison.bench.table.parkedCount == 0 ? nil : "a wait did not end"
  }

  private static func randomEvent(
    _ random: inout CounterRandom, _ waiters: Int, _ queues: Int
  ) -> WaitEvent {
    switch random.next(20) {
    case 0..<6:
      let deadline = random.next(3) == 0 ? random.next(4) + 1 : nil
      return .park(random.next(waiters), in: randomPlaces(&random, queues), deadline: deadline)
    case 6..<8: return .grant(random.next(queues))
    case 8..<10: return .grantNext(random.next(queues))
    case 10: return .complete(random.next(queues))
    case 11: return .cancel(random.next(waiters))
    case 12: return random.next(4) == 0 ? .close(random.next(queues)) : .tick
    case 13: return .run(.waits(in: randomPlaces(&random, queues)))
    default: return .run(random.next(3) != 0 ? .isDone : .waitsAgain)
    }
  }

  /// One queue, or several, some of which may be the same.
  private static func randomPlaces(_ random: inout CounterRandom, _ queues: Int) -> [Int] {
    (0...(random.next(2) * random.next(4))).map { _ in random.next(queues) }
  }
}

/// Reads a number from the environment.
func environmentNumber(_ name: String) -> Int? {
  guard let text = unsafe getenv(name) else { return nil }
  return unsafe Int(String(cString: text))
}
