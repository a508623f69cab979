@testable import Reactor

/// What can happen to waiters and queues.
enum WaitEvent: Hashable, CustomStringConvertible {
  case park(Int, in: Int, deadline: Int?)
  case grant(Int)
  case cancel(Int)
  case close(Int)
  /// Time passes, by one.
  case tick
  /// Who was woken first runs; it is done (`finish`), or found nothing and parks again.
  case run(isDone: Bool)

  var description: String {
    switch self {
    case .park(let waiter, let queue, let deadline):
      "park \(waiter) in \(queue) until \(deadline.map(String.init) ?? "ever")"
    case .grant(let queue): "grant \(queue)"
    case .cancel(let waiter): "cancel \(waiter)"
    case .close(let queue): "close \(queue)"
    case .tick: "tick"
    case .run(let isDone): isDone ? "run" : "run in vain"
    }
  }
}

/// The wait primitive in the plainest words: lists, and no pointers.
///
/// A queue holds a permit or does not; the first of a queue with a permit must be awake. That is
/// how the model knows of a lost wake-up without looking at how the table does it.
struct WaitModel {
  struct Member: Equatable {
    enum State { case idle, parked, woken }
    var state = State.idle
    var queue: Int?
    var deadline: Int?
    var began = 0
    var reason = WakeReason.first
    var waits = 0
    var ends = 0
  }

  var members: [Member]
  var queues: [[Int]]
  /// Whose turn it is, by queue.
  var turns: [Int?]
  var woken: [Int] = []
  var now = 0
  private var clock = 0

  init(waiters: Int, queues count: Int) {
    members = Array(repeating: Member(), count: waiters)
    queues = Array(repeating: [], count: count)
    turns = Array(repeating: nil, count: count)
  }

  /// Whether nothing differs from `other` that anybody could notice.
  func isAs(_ other: WaitModel) -> Bool {
    members == other.members && queues == other.queues && turns == other.turns
      && woken == other.woken && now == other.now
  }

  /// Whether an event makes sense now: only who runs may park.
  func allows(_ event: WaitEvent) -> Bool {
    switch event {
    case .park(let waiter, _, _): members[waiter].state == .idle
    case .run(let isDone):
      woken.first.map { isDone || members[$0].reason == .ready } ?? false
    default: true
    }
  }

  mutating func apply(_ event: WaitEvent) {
    switch event {
    case .park(let waiter, let queue, let deadline): park(waiter, queue, deadline.map { now + $0 })
    case .grant(let queue): grant(queue)
    case .cancel(let waiter): cancel(waiter)
    case .close(let queue): close(queue)
    case .tick: tick()
    case .run(let isDone): run(isDone)
    }
  }

  private mutating func park(_ waiter: Int, _ queue: Int, _ deadline: Int?) {
    clock += 1
    members[waiter].waits += 1
    members[waiter].state = .parked
    members[waiter].deadline = deadline
    members[waiter].began = clock
    if members[waiter].queue == queue {
      turns[queue] = nil
    } else {
      leave(waiter)
      queues[queue].append(waiter)
      members[waiter].queue = queue
    }
  }

  private mutating func grant(_ queue: Int) {
    guard turns[queue] == nil, let first = queues[queue].first,
      members[first].state == .parked
    else { return }
    turns[queue] = first
    wake(first, .ready)
  }

  private mutating func wake(_ waiter: Int, _ reason: WakeReason) {
    members[waiter].state = .woken
    members[waiter].reason = reason
    members[waiter].deadline = nil
    members[waiter].ends += 1
    woken.append(waiter)
  }

  /// Leaves a queue; a turn moves on.
  private mutating func leave(_ waiter: Int) {
    guard let queue = members[waiter].queue else { return }
    queues[queue].removeAll { $0 == waiter }
    members[waiter].queue = nil
    guard turns[queue] == waiter else { return }
    turns[queue] = nil
    grant(queue)
  }

  private mutating func end(_ waiter: Int, _ reason: WakeReason) {
    if members[waiter].state == .parked {
      wake(waiter, reason)
    } else {
      members[waiter].reason = reason
    }
    leave(waiter)
  }

  private mutating func cancel(_ waiter: Int) {
    let state = members[waiter].state
    if state == .parked || (state == .woken && members[waiter].queue != nil) {
      end(waiter, .cancelled)
    }
  }

  private mutating func close(_ queue: Int) {
    while let first = queues[queue].first { end(first, .closed) }
  }

  private mutating func tick() {
    now += 1
    let due = members.indices.filter {
      members[$0].state == .parked && members[$0].deadline.map { $0 <= now } ?? false
    }
    let order = due.sorted {
      (members[$0].deadline ?? 0, members[$0].began) < (
        members[$1].deadline ?? 0, members[$1].began
      )
    }
    // A turn that moves on in between may wake one that is due itself.
    for waiter in order where members[waiter].state == .parked { end(waiter, .timeout) }
  }

  private mutating func run(_ isDone: Bool) {
    let waiter = woken.removeFirst()
    members[waiter].state = .idle
    guard let queue = members[waiter].queue else { return }
    if isDone {
      queues[queue].removeAll { $0 == waiter }
      members[waiter].queue = nil
      turns[queue] = nil
      grant(queue)
    } else {
      park(waiter, queue, nil)
    }
  }
}

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
    if case .run(let isDone) = event {
      if let wrong = run(isDone) { return wrong }
    } else {
      perform(event)
      model.apply(event)
    }
    steps += 1
    return steps % checksEvery == 0 ? difference() : nil
  }

  private func perform(_ event: WaitEvent) {
    switch event {
    case .park(let waiter, let queue, let deadline):
      let time = deadline.map { UInt64(model.now + $0) } ?? .max
      bench.park(waiter, in: queue, deadline: time)
    case .grant(let queue): bench.grant(queue)
    case .cancel(let waiter): bench.cancel(waiter)
    case .close(let queue): bench.wakeAll(queue, .closed)
    case .tick: bench.table.expire(now: UInt64(model.now + 1))
    case .run: break
    }
  }

  private mutating func run(_ isDone: Bool) -> String? {
    let first = model.woken[0]
    let queue = model.members[first].queue
    guard let next = bench.next() else { return "nobody is woken" }
    if next.waiter != first { return "\(next.waiter) runs before \(first)" }
    if next.reason != model.members[first].reason { return "\(first) runs with \(next.reason)" }
    if let queue {
      if isDone {
        bench.finish(first)
        bench.grant(queue)
      } else {
        bench.park(first, in: queue)
      }
    }
    model.apply(.run(isDone: isDone))
    return nil
  }

  private func difference() -> String? {
    let table = bench.table
    if table.wokenCount != model.woken.count { return "\(table.wokenCount) are woken" }
    var parked = 0
    var timers = 0
    for (index, member) in model.members.enumerated() {
      if member.state == .parked { parked += 1 }
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
    for queue in model.queues.indices where bench.members(queue) != model.queues[queue] {
      return "queue \(queue) has \(bench.members(queue) ?? [-1])"
    }
    return nil
  }
}
