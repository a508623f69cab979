import Testing

@testable import Reactor

@Suite(.timeLimit(.minutes(1))) struct `The heap of deadlines` {
  @Test func `gives deadlines in order, and equal ones as they came`() {
    var random = CounterRandom(seed: 1)
    let table = WaitTable()
    defer { table.deallocate() }
    var heap = TimerHeap()
    defer { heap.deallocate() }
    var expected: [(deadline: UInt64, order: Int)] = []
    for order in 0..<5_000 {
      let deadline = UInt64(random.next(50)) + 1
      expected.append((deadline, order))
      unsafe heap.insert(table.makeWaiter(tag: UInt(order)), deadline: deadline)
    }
    expected.sort { ($0.deadline, $0.order) < ($1.deadline, $1.order) }
    for entry in expected {
      #expect(heap.next == entry.deadline)
      #expect(unsafe heap.popExpired(now: entry.deadline - 1) == nil)
      let waiter = unsafe heap.popExpired(now: entry.deadline)
      #expect(unsafe waiter?.pointee.tag == UInt(entry.order))
    }
    #expect(heap.next == nil)
  }

  @Test func `forgets any one at once, and shrinks when it was large`() {
    var random = CounterRandom(seed: 2)
    let table = WaitTable()
    defer { table.deallocate() }
    var heap = TimerHeap()
    defer { heap.deallocate() }
    var left: [(UInt64, WaiterPointer)] = unsafe []
    for _ in 0..<20_000 {
      let (deadline, waiter) = unsafe (UInt64(random.next(1_000_000)), table.makeWaiter(tag: 0))
      unsafe heap.insert(waiter, deadline: deadline)
      unsafe left.append((deadline, waiter))
    }
    while unsafe left.count > 100 {
      let gone = unsafe left.remove(at: random.next(left.count))
      unsafe heap.remove(gone.1)
      unsafe heap.remove(gone.1)
    }
    #expect(heap.count == 100)
    var deadlines: [UInt64] = []
    while let waiter = unsafe heap.popExpired(now: .max) {
      deadlines.append(unsafe left.first { unsafe $0.1 == waiter }?.0 ?? 0)
    }
    let expected = unsafe left.map { unsafe $0.0 }.sorted()
    #expect(deadlines == expected)
  }
}

/// Numbers that depend on a seed and a counter alone. Source: SplitMix64, Steele et al. 2014.
struct CounterRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  /// A number of 0..<limit.
  mutating func next(_ limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return Int(truncatingIfNeeded: mixed.multipliedFullWidth(by: UInt64(limit)).high)
  }
}
