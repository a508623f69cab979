/// The one wait primitive: park with an optional deadline, ended exactly once by the first of
/// result, deadline, cancel, close or shutdown.
///
/// Every wait of the system goes through here, so that lost wake-ups, double wake-ups and stale
/// timers can be made impossible in one place. The rules:
/// - A wake-up only puts the waiter into the list of the woken; nothing runs inside it.
/// - A queue is first come, first served. `grant` wakes the first; it keeps its place until it
///   has run, so that whoever comes in between queues behind it.
/// - A waiter that ends for another reason leaves every queue at once, and a grant that it had
///   not used moves on to the next.
/// - A waiter may wait in several queues: nodes are linked, not waiters. The first queue that
///   grants it its turn takes it out of all others (WaitTable+Cases.swift).
///
/// A plain handle on state at a fixed place: copying it counts no references.
@safe
package struct WaitTable {
  @safe
  struct State {
    var chunks: [WaiterPointer] = unsafe []
    var free: WaiterPointer?
    var used = 0
    var firstWoken: WaiterPointer?
    var lastWoken: WaiterPointer?
    var timers = TimerHeap()
    var cases = CasePool()
    var parkedCount = 0
    var wokenCount = 0
  }

  private static let chunkSize = 64
  let state: UnsafeMutablePointer<State>

  package init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  /// Frees everything. No waiter may be used afterwards.
  func deallocate() {
    let chunks = unsafe state.pointee.chunks
    for index in unsafe chunks.indices { unsafe chunks[index].deallocate() }
    unsafe state.pointee.timers.deallocate()
    unsafe state.pointee.cases.deallocate()
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  /// Waiters that wait now.
  package var parkedCount: Int { unsafe state.pointee.parkedCount }
  /// Waiters that were woken and have not run yet.
  package var wokenCount: Int { unsafe state.pointee.wokenCount }

  // MARK: Waiters

  package func makeWaiter(tag: UInt) -> WaiterPointer {
    if let waiter = unsafe state.pointee.free {
      unsafe state.pointee.free = unsafe waiter.pointee.nextWoken
      unsafe waiter.pointee.nextWoken = nil
      unsafe waiter.pointee.tag = tag
      unsafe waiter.pointee.state = .idle
      return unsafe waiter
    }
    if unsafe state.pointee.used % Self.chunkSize == 0 {
      unsafe state.pointee.chunks.append(.allocate(capacity: Self.chunkSize))
    }
    let waiter =
      unsafe state.pointee.chunks[state.pointee.used / Self.chunkSize] + state.pointee.used
      % Self.chunkSize
    unsafe waiter.initialize(
      to: Waiter(tag: tag, slot: UInt32(truncatingIfNeeded: state.pointee.used)))
    unsafe state.pointee.used += 1
    return unsafe waiter
  }

  /// Ends what a waiter stood for, and keeps it for its owner's next use. One that still waits is
  /// taken out of everything first.
  package func retire(_ waiter: WaiterPointer) {
    unsafe end(waiter)
    if unsafe waiter.pointee.state == .woken { unsafe removeWoken(waiter) }
    unsafe waiter.pointee.state = .idle
    unsafe waiter.pointee.generation &+= 1
  }

  /// Frees a waiter, as `retire` and for anybody's use.
  package func freeWaiter(_ waiter: WaiterPointer) {
    unsafe retire(waiter)
    unsafe waiter.pointee.state = .free
    unsafe waiter.pointee.nextWoken = unsafe state.pointee.free
    unsafe state.pointee.free = unsafe waiter
  }

  package func id(of waiter: WaiterPointer) -> WaiterID {
    unsafe WaiterID(slot: waiter.pointee.slot, generation: waiter.pointee.generation)
  }

  /// The waiter that an id names, or nil when it is gone.
  package func waiter(_ id: WaiterID) -> WaiterPointer? {
    guard unsafe Int(id.slot) < state.pointee.used else { return nil }
    let waiter =
      unsafe state.pointee.chunks[Int(id.slot) / Self.chunkSize] + Int(id.slot) % Self.chunkSize
    guard unsafe waiter.pointee.generation == id.generation, unsafe waiter.pointee.state != .free
    else {
      return nil
    }
    return unsafe waiter
  }

  package func isParked(_ waiter: WaiterPointer) -> Bool { unsafe waiter.pointee.state == .parked }

  // MARK: Parking

  /// Parks a waiter in `queue` until it is woken or the deadline passes.
  /// A waiter that has its place already (it was granted, and found nothing) keeps it.
  package func park(
    _ waiter: WaiterPointer, in queue: WaitQueuePointer, mask: Ready = [], deadline: UInt64
  ) {
    if unsafe waiter.pointee.node.queue != queue {
      if unsafe waiter.pointee.node.queue != nil { unsafe leave(waiter) }
      unsafe waiter.pointee.node.mask = mask
      unsafe append(nodeOf(waiter), to: queue)
    }
    unsafe waiter.pointee.node.isGranted = false
    unsafe park(waiter, deadline: deadline)
  }

  /// Parks a waiter that comes first in `queue` and keeps its turn until `time`: nobody else is
  /// woken before, and when it ends for whatever reason, the turn moves on. One that does not
  /// come first waits behind the others, until `limit`.
  package func rest(
    _ waiter: WaiterPointer, in queue: WaitQueuePointer, until time: UInt64, limit: UInt64
  ) {
    let isFirst = unsafe queue.pointee.isEmpty || queue.pointee.isFirst(waiter)
    unsafe park(waiter, in: queue, deadline: isFirst ? min(time, limit) : limit)
    unsafe waiter.pointee.node.isGranted = isFirst
  }

  /// Wakes the first of a queue when it rests.
  package func endRest(_ queue: WaitQueuePointer) {
    guard let node = unsafe queue.pointee.head, unsafe node.pointee.isGranted,
      unsafe waiterOf(node).pointee.state == .parked
    else { return }
    unsafe node.pointee.isGranted = false
    unsafe grant(queue)
  }

  /// Parks a waiter in no queue: until its deadline, or until somebody wakes it by name.
  package func park(_ waiter: WaiterPointer, deadline: UInt64) {
    unsafe assert(waiter.pointee.state == .idle)
    unsafe waiter.pointee.state = .parked
    unsafe state.pointee.parkedCount &+= 1
    if deadline != .max { unsafe state.pointee.timers.insert(waiter, deadline: deadline) }
  }

  // MARK: Waking

  /// Ends a wait: the waiter leaves its queues and its timer, and joins the list of the woken.
  /// Does nothing to a waiter that does not wait.
  package func wake(_ waiter: WaiterPointer, _ reason: WakeReason) {
    guard unsafe waiter.pointee.state == .parked else { return }
    unsafe unpark(waiter)
    unsafe append(woken: waiter, reason)
    unsafe leave(waiter)
  }

  /// Wakes the first of a queue, which keeps its place until it calls `finish`.
  package func grant(_ queue: WaitQueuePointer) {
    guard let node = unsafe queue.pointee.head, unsafe !node.pointee.isGranted else { return }
    if unsafe node.pointee.isCase { return unsafe settle(node) }
    unsafe award(UnsafeMutableRawPointer(node).assumingMemoryBound(to: Waiter.self))
  }

  /// Wakes the first of a queue that has no grant yet, for queues in which several may go on at
  /// a time. Returns whether there was one.
  @discardableResult
  package func grantNext(_ queue: WaitQueuePointer) -> Bool {
    guard let head = unsafe queue.pointee.head else { return false }
    var node = unsafe head
    while unsafe node.pointee.isGranted {
      guard let next = unsafe node.pointee.next, unsafe next != head else { return false }
      unsafe node = unsafe next
    }
    guard unsafe waiterOf(node).pointee.state == .parked else { return false }
    if unsafe node.pointee.isCase {
      unsafe settle(node)
    } else {
      unsafe award(waiterOf(node))
    }
    return true
  }

  /// Wakes a waiter whose own node stands where its turn has come.
  @inline(__always)
  func award(_ waiter: WaiterPointer) {
    guard unsafe waiter.pointee.state == .parked else { return }
    unsafe waiter.pointee.node.isGranted = true
    unsafe unpark(waiter)
    unsafe append(woken: waiter, .ready)
  }

  /// Wakes everybody in a queue whose mask shares a bit with `ready`; they leave it.
  package func wakeMatching(_ queue: WaitQueuePointer, _ ready: Ready) {
    guard let head = unsafe queue.pointee.head, let last = unsafe head.pointee.previous else {
      return
    }
    var node = unsafe head
    while true {
      let isLast = unsafe node == last
      let next = unsafe node.pointee.next
      if unsafe !node.pointee.mask.isDisjoint(with: ready) { unsafe wake(through: node, .ready) }
      guard !isLast, let next = unsafe next else { return }
      unsafe node = unsafe next
    }
  }

  /// Wakes everybody in a queue, woken ones that have not run included, with `reason`.
  package func wakeAll(_ queue: WaitQueuePointer, _ reason: WakeReason) {
    while let node = unsafe queue.pointee.head {
      let waiter = unsafe waiterOf(node)
      if unsafe waiter.pointee.state == .parked {
        unsafe wake(through: node, reason)
      } else {
        unsafe end(waiter)
        unsafe waiter.pointee.reason = reason
      }
    }
  }

  /// Wakes everybody who waits, in a queue or in none. Cost: a look at every waiter.
  package func wakeEverybody(_ reason: WakeReason) {
    var slot = 0
    while unsafe slot < state.pointee.used {
      let waiter = unsafe state.pointee.chunks[slot / Self.chunkSize] + slot % Self.chunkSize
      unsafe wake(waiter, reason)
      slot += 1
    }
  }

  /// Cancels: ends a wait, or takes back a grant that has not been used.
  /// Returns false when the waiter neither waits nor was woken by a grant.
  @discardableResult
  package func cancel(_ waiter: WaiterPointer) -> Bool {
    switch unsafe waiter.pointee.state {
    case .parked:
      unsafe wake(waiter, .cancelled)
      return true
    case .woken where unsafe waiter.pointee.node.queue != nil:
      unsafe end(waiter)
      unsafe waiter.pointee.reason = .cancelled
      return true
    default:
      return false
    }
  }

  /// Ends a call that used its grant: gives the place up. The caller hands on what is left.
  @inline(__always)
  package func finish(_ waiter: WaiterPointer) {
    guard let queue = unsafe waiter.pointee.node.queue else { return }
    let node = unsafe nodeOf(waiter)
    guard unsafe queue.pointee.head == node, unsafe node.pointee.next == node else {
      return unsafe remove(node)
    }
    unsafe queue.pointee.head = nil  // alone in its queue: the usual case
    unsafe node.pointee.queue = nil
    unsafe node.pointee.isGranted = false
  }

  /// Puts a waiter that does not wait into the list of the woken: a new task, or a yield.
  package func enqueue(_ waiter: WaiterPointer, _ reason: WakeReason = .first) {
    guard unsafe waiter.pointee.state == .idle else { return }
    unsafe append(woken: waiter, reason)
  }

  /// The waiter that was woken first; it stays where it is.
  package func firstToRun() -> WaiterPointer? { unsafe state.pointee.firstWoken }

  /// Takes the waiter that was woken first. Its reason says why.
  package func nextWoken() -> WaiterPointer? {
    guard let waiter = unsafe state.pointee.firstWoken else { return nil }
    unsafe state.pointee.firstWoken = unsafe waiter.pointee.nextWoken
    if unsafe state.pointee.firstWoken == nil { unsafe state.pointee.lastWoken = nil }
    unsafe waiter.pointee.nextWoken = nil
    unsafe waiter.pointee.state = .idle
    unsafe state.pointee.wokenCount &-= 1
    return unsafe waiter
  }

  // MARK: Time

  /// The earliest deadline of all that wait.
  package var nextDeadline: UInt64? { unsafe state.pointee.timers.next }
  package var timerCount: Int { unsafe state.pointee.timers.count }

  /// Wakes everybody whose deadline has come.
  package func expire(now: UInt64) {
    while let waiter = unsafe state.pointee.timers.popExpired(now: now) {
      unsafe wake(waiter, .timeout)
    }
  }

  // MARK: Inside

  func nodeOf(_ waiter: WaiterPointer) -> UnsafeMutablePointer<WaitNode> {
    // The node is the first field of the waiter.
    unsafe UnsafeMutableRawPointer(waiter).assumingMemoryBound(to: WaitNode.self)
  }

  @inline(__always)
  func waiterOf(_ node: UnsafeMutablePointer<WaitNode>) -> WaiterPointer {
    if unsafe node.pointee.isCase { return unsafe caseOf(node).pointee.waiter }
    return unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: Waiter.self)
  }

  func append(_ node: UnsafeMutablePointer<WaitNode>, to queue: WaitQueuePointer) {
    unsafe node.pointee.queue = unsafe queue
    if let head = unsafe queue.pointee.head {
      let last = unsafe head.pointee.previous
      unsafe node.pointee.previous = unsafe last
      unsafe node.pointee.next = unsafe head
      unsafe last?.pointee.next = unsafe node
      unsafe head.pointee.previous = unsafe node
    } else {
      unsafe node.pointee.previous = unsafe node
      unsafe node.pointee.next = unsafe node
      unsafe queue.pointee.head = unsafe node
    }
  }

  func remove(_ node: UnsafeMutablePointer<WaitNode>) {
    guard let queue = unsafe node.pointee.queue else { return }
    if unsafe node.pointee.next == node {
      unsafe queue.pointee.head = nil
    } else {
      unsafe node.pointee.previous?.pointee.next = unsafe node.pointee.next
      unsafe node.pointee.next?.pointee.previous = unsafe node.pointee.previous
      if unsafe queue.pointee.head == node { unsafe queue.pointee.head = unsafe node.pointee.next }
    }
    unsafe node.pointee.queue = nil
    unsafe node.pointee.isGranted = false
  }

  func unpark(_ waiter: WaiterPointer) {
    unsafe state.pointee.parkedCount &-= 1
    unsafe waiter.pointee.state = .idle
    if unsafe waiter.pointee.heapIndex >= 0 { unsafe state.pointee.timers.remove(waiter) }
  }

  /// Takes a waiter out of its timer and of every queue; a grant that it held moves on.
  private func end(_ waiter: WaiterPointer) {
    if unsafe waiter.pointee.state == .parked { unsafe unpark(waiter) }
    unsafe leave(waiter)
  }

  /// Takes a waiter out of its queues; a grant that it held moves on.
  func leave(_ waiter: WaiterPointer) {
    let node = unsafe nodeOf(waiter)
    if let queue = unsafe node.pointee.queue {
      let wasGranted = unsafe node.pointee.isGranted
      unsafe remove(node)
      if wasGranted { unsafe grantNext(queue) }
    } else if unsafe node.pointee.nextCase != 0 {
      unsafe dropCases(of: waiter)
    }
  }

  func append(woken waiter: WaiterPointer, _ reason: WakeReason) {
    unsafe waiter.pointee.reason = reason
    unsafe waiter.pointee.state = .woken
    unsafe waiter.pointee.nextWoken = nil
    if let last = unsafe state.pointee.lastWoken {
      unsafe last.pointee.nextWoken = unsafe waiter
    } else {
      unsafe state.pointee.firstWoken = unsafe waiter
    }
    unsafe state.pointee.lastWoken = unsafe waiter
    unsafe state.pointee.wokenCount &+= 1
  }

  private func removeWoken(_ waiter: WaiterPointer) {
    var previous: WaiterPointer?
    var current = unsafe state.pointee.firstWoken
    while let candidate = unsafe current, unsafe candidate != waiter {
      unsafe previous = unsafe candidate
      unsafe current = unsafe candidate.pointee.nextWoken
    }
    guard unsafe current == waiter else { return }
    if let previous = unsafe previous {
      unsafe previous.pointee.nextWoken = unsafe waiter.pointee.nextWoken
    } else {
      unsafe state.pointee.firstWoken = unsafe waiter.pointee.nextWoken
    }
    if unsafe state.pointee.lastWoken == waiter { unsafe state.pointee.lastWoken = unsafe previous }
    unsafe state.pointee.wokenCount &-= 1
  }
}
