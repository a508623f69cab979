import Testing

@testable import Reactor

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

  @Test func `who waits in several queues is woken by one, and has left the others`() {
    let bench = WaitBench(waiters: 3, queues: 3)
    bench.park(0, in: [0, 1, 2])
    bench.park(1, in: [2, 0])
    bench.park(2, in: 1)
    #expect(bench.members(2) == [0, 1])
    bench.grant(2)
    bench.grant(1)
    #expect(bench.members(0) == [1])
    #expect(bench.members(1) == [2])
    #expect(bench.members(2) == [0, 1])
    #expect(bench.all() == [Woken(0, .ready), Woken(2, .ready)])
    #expect(bench.caseNumber(0) == 3)
    #expect(bench.table.caseCount == 2)
  }

  @Test func `two cases on one queue count as one, with the bits of both`() {
    let bench = WaitBench(waiters: 2, queues: 1)
    for bits in [Ready.readable, .writable] {
      let places = unsafe [
        WaitPlace(queue: bench.queues[0], mask: .priority), WaitPlace(queue: nil),
        WaitPlace(queue: bench.queues[0], mask: bits),
      ]
      unsafe bench.table.park(
        bench.waiters[bits == .readable ? 0 : 1], in: places, deadline: .max)
    }
    #expect(bench.members(0) == [0, 1])
    unsafe bench.table.wakeMatching(bench.queues[0], .writable)
    #expect(bench.all() == [Woken(1, .ready)])
    #expect(bench.caseNumber(1) == 1)
    #expect(bench.members(0) == [0])
  }

  @Test func `a waiter takes 72 bytes, however many queues it may wait in`() {
    #expect(MemoryLayout<Waiter>.stride == 72)
    #expect(MemoryLayout<WaitNode>.size == 32)
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
