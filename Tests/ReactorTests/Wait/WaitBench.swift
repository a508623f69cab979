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

  /// Parks in one queue, or with a case in each of several.
  func park(_ waiter: Int, in chosen: [Int], deadline: UInt64 = .max) {
    if chosen.count == 1 { return park(waiter, in: chosen[0], deadline: deadline) }
    let places = chosen.map { unsafe WaitPlace(queue: queues[$0]) }
    unsafe table.park(waiters[waiter], in: places, deadline: deadline)
  }

  func grant(_ queue: Int) { unsafe table.grant(queues[queue]) }
  func grantNext(_ queue: Int) -> Bool { unsafe table.grantNext(queues[queue]) }

  /// Completes the wait of the first of a queue, and says who it was.
  func completeFirst(_ queue: Int) -> Int? {
    guard let first = unsafe table.firstParked(queues[queue]) else { return nil }
    unsafe table.completeFirst(queues[queue])
    return unsafe Int(first.waiter.pointee.tag) - 1
  }

  func caseNumber(_ waiter: Int) -> Int { unsafe Int(waiters[waiter].pointee.caseNumber) }

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
      let waiter = unsafe table.waiterOf(node)
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
