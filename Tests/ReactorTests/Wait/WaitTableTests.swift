import Testing

@testable import Reactor

/// Waiters and queues by number, at places of their own.
@safe
final class WaitBench {
  let table = WaitTable()
  let waiters: [WaiterPointer]
  let queues: [WaitQueuePointer]

  init(waiters count: Int, queues queueCount: Int) {
    let table = table
    unsafe waiters = (0..<count).map { unsafe table.makeWaiter(tag: UInt($0) + 1) }
    unsafe queues = (0..<queueCount).map { _ in
      let queue = WaitQueuePointer.allocate(capacity: 1)
      unsafe queue.initialize(to: WaitQueue())
      return unsafe queue
    }
  }

  deinit {
    for index in unsafe queues.indices { unsafe queues[index].deallocate() }
    table.deallocate()
  }

  func park(_ waiter: Int, in queue: Int, deadline: UInt64 = .max, mask: Ready = .all) {
    unsafe table.park(waiters[waiter], in: queues[queue], mask: mask, deadline: deadline)
  }

  func grant(_ queue: Int) { unsafe table.grant(queues[queue]) }

  @discardableResult
  func cancel(_ waiter: Int) -> Bool { unsafe table.cancel(waiters[waiter]) }

  func finish(_ waiter: Int) { unsafe table.finish(waiters[waiter]) }
  func wakeAll(_ queue: Int, _ reason: WakeReason) { unsafe table.wakeAll(queues[queue], reason) }
  func state(_ waiter: Int) -> Waiter.State { unsafe waiters[waiter].pointee.state }

  /// The numbers of those in a queue, from the first on. nil: the ring is broken.
  func members(_ queue: Int) -> [Int]? {
    guard let head = unsafe queues[queue].pointee.head else { return [] }
    var found: [Int] = []
    var node = unsafe head
    repeat {
      guard unsafe node.pointee.queue == queues[queue], let next = unsafe node.pointee.next,
        unsafe next.pointee.previous == node, unsafe found.count <= waiters.count
      else { return nil }
      let waiter = unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: Waiter.self)
      found.append(unsafe Int(waiter.pointee.tag) - 1)
      unsafe node = unsafe next
    } while unsafe node != head
    return found
  }

  func next() -> (waiter: Int, reason: WakeReason)? {
    guard let waiter = unsafe table.nextWoken() else { return nil }
    return unsafe (Int(waiter.pointee.tag) - 1, waiter.pointee.reason)
  }

  func all() -> [Woken] {
    var woken: [Woken] = []
    while let next = next() { woken.append(Woken(next.waiter, next.reason)) }
    return woken
  }
}

struct Woken: Equatable {
  let waiter: Int
  let reason: WakeReason

  init(_ waiter: Int, _ reason: WakeReason) {
    self.waiter = waiter
    self.reason = reason
  }
}

@Suite(.timeLimit(.minutes(1))) struct `The wait primitive` {
  @Test func `a wait ends once, by the first of its ends`() {
    let bench = WaitBench(waiters: 1, queues: 1)
    bench.park(0, in: 0, deadline: 10)
    bench.wakeAll(0, .closed)
    bench.table.expire(now: 100)
    #expect(!bench.cancel(0))
    bench.grant(0)
    #expect(bench.all() == [Woken(0, .closed)])
    #expect(bench.table.timerCount == 0)
    #expect(bench.table.parkedCount == 0)
  }

  @Test func `a grant wakes the first alone, which keeps its place until it has finished`() {
    let bench = WaitBench(waiters: 3, queues: 1)
    for waiter in 0..<3 { bench.park(waiter, in: 0) }
    bench.grant(0)
    bench.grant(0)
    #expect(bench.all() == [Woken(0, .ready)])
    #expect(bench.members(0) == [0, 1, 2])
    bench.finish(0)
    bench.grant(0)
    #expect(bench.all() == [Woken(1, .ready)])
  }

  @Test func `one that found nothing waits again in its old place`() {
    let bench = WaitBench(waiters: 2, queues: 1)
    bench.park(0, in: 0)
    bench.park(1, in: 0)
    bench.grant(0)
    _ = bench.next()
    bench.park(0, in: 0)
    bench.grant(0)
    #expect(bench.all() == [Woken(0, .ready)])
  }

  @Test(arguments: [false, true])
  func `a grant that was not used moves on`(frees: Bool) {
    let bench = WaitBench(waiters: 2, queues: 1)
    bench.park(0, in: 0)
    bench.park(1, in: 0)
    bench.grant(0)
    if frees {
      unsafe bench.table.freeWaiter(bench.waiters[0])
      #expect(bench.all() == [Woken(1, .ready)])
    } else {
      #expect(bench.cancel(0))
      #expect(bench.all() == [Woken(0, .cancelled), Woken(1, .ready)])
    }
  }

  @Test func `waiting in another queue gives the place in the first one up`() {
    let bench = WaitBench(waiters: 2, queues: 2)
    bench.park(0, in: 0)
    bench.park(1, in: 0)
    bench.grant(0)
    _ = bench.next()
    bench.park(0, in: 1)
    #expect(bench.members(1) == [0])
    #expect(bench.all() == [Woken(1, .ready)])
    bench.grant(1)
    #expect(bench.all() == [Woken(0, .ready)])
  }

  @Test func `who rests keeps the turn, and passes it on at the end`() {
    let bench = WaitBench(waiters: 3, queues: 1)
    unsafe bench.table.rest(bench.waiters[0], in: bench.queues[0], until: 10, limit: .max)
    unsafe bench.table.rest(bench.waiters[1], in: bench.queues[0], until: 10, limit: .max)
    bench.park(2, in: 0)
    bench.grant(0)
    #expect(bench.all() == [])
    #expect(bench.table.timerCount == 1)
    bench.table.expire(now: 10)
    #expect(bench.all() == [Woken(0, .timeout), Woken(1, .ready)])
  }

  @Test func `only those whose bits came are woken, all of them in order`() {
    let bench = WaitBench(waiters: 4, queues: 1)
    for waiter in 0..<4 {
      bench.park(waiter, in: 0, mask: waiter % 2 == 0 ? .readable : .writable)
    }
    unsafe bench.table.wakeMatching(bench.queues[0], .readSide)
    #expect(bench.all() == [Woken(0, .ready), Woken(2, .ready)])
    #expect(bench.members(0) == [1, 3])
    bench.table.wakeEverybody(.shutdown)
    #expect(bench.all() == [Woken(1, .shutdown), Woken(3, .shutdown)])
  }

  @Test func `a name of a waiter that is gone finds nobody`() {
    let table = WaitTable()
    defer { table.deallocate() }
    var names: [WaiterID] = []
    for _ in 0..<200 {
      let waiter = unsafe table.makeWaiter(tag: 1)
      let name = unsafe table.id(of: waiter)
      #expect(unsafe table.waiter(name) == waiter)
      unsafe table.freeWaiter(waiter)
      names.append(name)
    }
    let areGone = names.allSatisfy { unsafe table.waiter($0) == nil }
    #expect(areGone)
    #expect(Set(names).count == 200)
  }

  @Test func `equal deadlines end in the order in which they began`() {
    let bench = WaitBench(waiters: 100, queues: 1)
    for waiter in 0..<100 {
      unsafe bench.table.park(bench.waiters[waiter], deadline: UInt64(waiter % 2) + 1)
    }
    bench.table.expire(now: 2)
    let expected = (0..<100).filter { $0 % 2 == 0 } + (0..<100).filter { $0 % 2 == 1 }
    #expect(bench.all() == expected.map { Woken($0, .timeout) })
  }
}
