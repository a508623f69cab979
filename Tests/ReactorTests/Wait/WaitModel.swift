@testable import Reactor

/// The wait primitive in the plainest words: lists, and no pointers.
///
/// A waiter stands in a list of queues. A grant leaves it in one of them, with its turn; every
/// other end takes it out of all.
struct WaitModel {
  struct Member: Equatable {
    enum State { case idle, parked, woken }
    var state = State.idle
    /// The queues in which it stands.
    var places: [Int] = []
    /// What its last wait asked for, in the order of the cases. Empty: it never waited.
    var asked: [Int] = []
    /// Whether it has been granted its turn, in the one queue in which it stands.
    var hasTurn = false
    /// Which case ended the wait, when it had several.
    var number = 0
    var deadline: Int?
    var began = 0
    var reason = WakeReason.first
    var waits = 0
    var ends = 0
  }

  var members: [Member]
  var queues: [[Int]]
  var woken: [Int] = []
  var now = 0
  private var clock = 0

  init(waiters: Int, queues count: Int) {
    members = Array(repeating: Member(), count: waiters)
    queues = Array(repeating: [], count: count)
  }

  /// Whether nothing differs from `other` that anybody could notice.
  func isAs(_ other: WaitModel) -> Bool {
    members == other.members && queues == other.queues && woken == other.woken && now == other.now
  }

  /// Whether an event makes sense now: only who runs may park.
  func allows(_ event: WaitEvent) -> Bool {
    switch event {
    case .park(let waiter, _, _): members[waiter].state == .idle
    case .complete(let queue): firstParked(queue) != nil
    case .run(let next):
      woken.first.map { next == .isDone || members[$0].reason == .ready } ?? false
    default: true
    }
  }

  func firstParked(_ queue: Int) -> Int? {
    queues[queue].first.flatMap { members[$0].state == .parked ? $0 : nil }
  }

  mutating func apply(_ event: WaitEvent) {
    switch event {
    case .park(let waiter, let asked, let deadline): park(waiter, asked, deadline.map { now + $0 })
    case .grant(let queue): if let first = queues[queue].first { award(first, in: queue) }
    case .grantNext(let queue): grantNext(queue)
    case .complete(let queue): if let first = firstParked(queue) { end(first, .ready, by: queue) }
    case .cancel(let waiter): cancel(waiter)
    case .close(let queue): close(queue)
    case .tick: tick()
    case .run(let next): run(next)
    }
  }

  private mutating func park(_ waiter: Int, _ asked: [Int], _ deadline: Int?) {
    clock += 1
    members[waiter].asked = asked
    members[waiter].number = 0
    let kept = members[waiter].places.first { asked.contains($0) }
    if kept == nil { leave(waiter) }
    for queue in asked where !members[waiter].places.contains(queue) {
      members[waiter].places.append(queue)
      queues[queue].append(waiter)
    }
    members[waiter].hasTurn = false
    members[waiter].waits += 1
    members[waiter].state = .parked
    members[waiter].deadline = deadline
    members[waiter].began = clock
  }

  private mutating func grantNext(_ queue: Int) {
    if let next = queues[queue].first(where: { !members[$0].hasTurn }) { award(next, in: queue) }
  }

  private mutating func award(_ waiter: Int, in queue: Int) {
    guard members[waiter].state == .parked, !members[waiter].hasTurn else { return }
    for other in members[waiter].places where other != queue {
      queues[other].removeAll { $0 == waiter }
    }
    members[waiter].places = [queue]
    members[waiter].hasTurn = true
    wake(waiter, .ready, by: queue)
  }

  private mutating func wake(_ waiter: Int, _ reason: WakeReason, by queue: Int?) {
    members[waiter].state = .woken
    members[waiter].reason = reason
    members[waiter].deadline = nil
    members[waiter].ends += 1
    let asked = members[waiter].asked
    if asked.count > 1, let queue {
      members[waiter].number = (asked.firstIndex(of: queue) ?? 0) + 1
    }
    woken.append(waiter)
  }

  /// Leaves all queues; a turn moves on.
  private mutating func leave(_ waiter: Int) {
    let (places, hadTurn) = (members[waiter].places, members[waiter].hasTurn)
    members[waiter].places = []
    members[waiter].hasTurn = false
    for queue in places {
      queues[queue].removeAll { $0 == waiter }
      if hadTurn { grantNext(queue) }
    }
  }

  private mutating func end(_ waiter: Int, _ reason: WakeReason, by queue: Int? = nil) {
    if members[waiter].state == .parked {
      wake(waiter, reason, by: queue)
    } else {
      members[waiter].reason = reason
    }
    leave(waiter)
  }

  private mutating func cancel(_ waiter: Int) {
    let state = members[waiter].state
    if state == .parked || (state == .woken && !members[waiter].places.isEmpty) {
      end(waiter, .cancelled)
    }
  }

  private mutating func close(_ queue: Int) {
    while let first = queues[queue].first { end(first, .closed, by: queue) }
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

  private mutating func run(_ next: WaitEvent.Next) {
    let waiter = woken.removeFirst()
    members[waiter].state = .idle
    switch next {
    case .waitsAgain: park(waiter, members[waiter].asked, nil)
    case .waits(let places): park(waiter, places, nil)
    case .isDone:
      guard let queue = members[waiter].places.first else { return }
      members[waiter].places = []
      members[waiter].hasTurn = false
      queues[queue].removeAll { $0 == waiter }
      if let first = queues[queue].first { award(first, in: queue) }
    }
  }
}
