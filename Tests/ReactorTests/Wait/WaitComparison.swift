@testable import Reactor

/// The table and the model side by side.
struct WaitComparison {
  let bench: WaitBench
  var model: WaitModel
  /// After how many steps the whole state is compared; who runs and why is compared always.
  var checksEvery = 1
  private var steps = 0

  init(waiters: Int, queues: Int) {
    bench = WaitBench(waiters: waiters, queues: queues)
    model = WaitModel(waiters: waiters, queues: queues)
  }

  /// Makes `event` happen to both. Returns what is wrong afterwards, or nil.
  mutating func step(_ event: WaitEvent) -> String? {
    guard model.allows(event) else { return nil }
    if let wrong = perform(event) { return wrong }
    model.apply(event)
    steps += 1
    return steps % checksEvery == 0 ? difference() : nil
  }

  private func perform(_ event: WaitEvent) -> String? {
    switch event {
    case .park(let waiter, let queues, let deadline):
      let time = deadline.map { UInt64(model.now + $0) } ?? .max
      bench.park(waiter, in: queues, deadline: time)
    case .grant(let queue): bench.grant(queue)
    case .grantNext(let queue):
      let hasNext = model.queues[queue].contains { model.members[$0].state == .parked }
      if bench.grantNext(queue) != hasNext { return "whether there is a next one" }
    case .complete(let queue): return complete(queue)
    case .cancel(let waiter): bench.cancel(waiter)
    case .close(let queue): bench.wakeAll(queue, .closed)
    case .tick: bench.table.expire(now: UInt64(model.now + 1))
    case .run(let next): return run(next)
    }
    return nil
  }

  private func complete(_ queue: Int) -> String? {
    guard let first = bench.completeFirst(queue) else { return "nobody is first in \(queue)" }
    return first == model.firstParked(queue) ? nil : "\(first) is first in \(queue)"
  }

  private func run(_ event: WaitEvent.Next) -> String? {
    let first = model.woken[0]
    let member = model.members[first]
    guard let next = bench.next() else { return "nobody is woken" }
    if next.waiter != first { return "\(next.waiter) runs before \(first)" }
    if next.reason != member.reason { return "\(first) runs with \(next.reason)" }
    if member.asked.count > 1, bench.caseNumber(first) != member.number {
      return "\(first) was woken by case \(bench.caseNumber(first))"
    }
    switch event {
    case .waitsAgain: bench.park(first, in: member.asked)
    case .waits(let places): bench.park(first, in: places)
    case .isDone:
      guard let queue = member.places.first else { break }
      bench.finish(first)
      bench.grant(queue)
    }
    return nil
  }

  private func difference() -> String? {
    let table = bench.table
    if table.wokenCount != model.woken.count { return "\(table.wokenCount) are woken" }
    var (parked, timers, cases) = (0, 0, 0)
    for (index, member) in model.members.enumerated() {
      if member.state == .parked { parked += 1 }
      if member.state == .parked, member.asked.count > 1 { cases += member.places.count }
      if member.deadline != nil { timers += 1 }
      let state = bench.state(index)
      if state != (member.state == .idle ? .idle : member.state == .parked ? .parked : .woken) {
        return "\(index) is \(state)"
      }
      if member.waits - member.ends != (member.state == .parked ? 1 : 0) {
        return "\(index) waited \(member.waits) times and ended \(member.ends) times"
      }
    }
    if table.parkedCount != parked { return "\(table.parkedCount) are parked" }
    if table.timerCount != timers { return "\(table.timerCount) timers" }
    if table.caseCount != cases { return "\(table.caseCount) cases are in use" }
    for queue in model.queues.indices where bench.members(queue) != model.queues[queue] {
      return "queue \(queue) has \(bench.members(queue) ?? [-1])"
    }
    return nil
  }
}
