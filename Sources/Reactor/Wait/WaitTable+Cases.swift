/// One of the things that a waiter waits for at the same time.
@safe
package struct WaitPlace {
  /// nil: nobody wakes the waiter through this one; it stands for its number.
  let queue: WaitQueuePointer?
  let mask: Ready

  package init(queue: WaitQueuePointer?, mask: Ready = .all) {
    unsafe self.queue = unsafe queue
    self.mask = mask
  }
}

// Waiting in several queues at once.
//
// While a waiter waits so, it stands in each queue with a case of its own, and its own node stands
// in none. However the wait ends, all cases are gone when the waiter runs: where it was granted
// its turn, its own node has taken the place of the case.
extension WaitTable {
  /// Parks a waiter in the queues of all `places`, until it is woken through the first of them or
  /// the deadline passes; `caseNumber` then says through which one.
  ///
  /// Where a queue is named twice, the first case stands for both. A place that the waiter has
  /// already (it was granted its turn there, and found nothing) is kept if it is one of these.
  package func park(_ waiter: WaiterPointer, in places: [WaitPlace], deadline: UInt64) {
    unsafe waiter.pointee.caseNumber = 0
    var last: UInt32 = 0
    for index in places.indices {
      guard let queue = unsafe places[index].queue else { continue }
      if let own = unsafe findCase(of: waiter, in: queue) {
        unsafe own.pointee.node.mask.formUnion(places[index].mask)
        continue
      }
      let slot = unsafe state.pointee.cases.take(
        for: waiter, number: UInt16(truncatingIfNeeded: index + 1))
      let node = unsafe nodeOf(state.pointee.cases[slot])
      unsafe node.pointee.mask = places[index].mask
      if unsafe waiter.pointee.node.queue == queue {
        unsafe move(nodeOf(waiter), to: node)
      } else {
        unsafe append(node, to: queue)
      }
      if last == 0 {
        unsafe waiter.pointee.node.nextCase = slot
      } else {
        unsafe state.pointee.cases[last].pointee.node.nextCase = slot
      }
      last = slot
    }
    if unsafe waiter.pointee.node.queue != nil { unsafe leave(waiter) }
    unsafe park(waiter, deadline: deadline)
  }

  /// Cases that are in use.
  var caseCount: Int { unsafe state.pointee.cases.count }

  /// The first of a queue that waits, and the number of its case. nil: there is none, or it has
  /// been granted its turn.
  package func firstParked(_ queue: WaitQueuePointer) -> (waiter: WaiterPointer, number: UInt16)? {
    guard let node = unsafe queue.pointee.head, case let waiter = unsafe waiterOf(node),
      unsafe waiter.pointee.state == .parked
    else { return nil }
    return unsafe (waiter, node.pointee.isCase ? caseOf(node).pointee.number : 0)
  }

  /// Ends the wait of the first of a queue, which leaves it: somebody did for it what it waited
  /// to do. It must be one that `firstParked` has answered.
  package func completeFirst(_ queue: WaitQueuePointer) {
    if let node = unsafe queue.pointee.head { unsafe wake(through: node, .ready) }
  }

  // MARK: Inside

  func caseOf(_ node: UnsafeMutablePointer<WaitNode>) -> WaitCasePointer {
    unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: WaitCase.self)
  }

  private func nodeOf(_ place: WaitCasePointer) -> UnsafeMutablePointer<WaitNode> {
    unsafe UnsafeMutableRawPointer(place).assumingMemoryBound(to: WaitNode.self)
  }

  /// Ends the wait of the waiter whose node this is, and notes which of its cases did it.
  func wake(through node: UnsafeMutablePointer<WaitNode>, _ reason: WakeReason) {
    let waiter = unsafe waiterOf(node)
    if unsafe node.pointee.isCase {
      unsafe waiter.pointee.caseNumber = unsafe caseOf(node).pointee.number
    }
    unsafe wake(waiter, reason)
  }

  /// Wakes a waiter whose turn has come in the queue of one of its cases: it leaves all others,
  /// and from now on stands there with its own node.
  @inline(never)
  func settle(_ node: UnsafeMutablePointer<WaitNode>) {
    let place = unsafe caseOf(node)
    let waiter = unsafe place.pointee.waiter
    unsafe waiter.pointee.caseNumber = unsafe place.pointee.number
    unsafe move(node, to: nodeOf(waiter))
    unsafe dropCases(of: waiter)
    unsafe award(waiter)
  }

  /// Takes a waiter out of all queues in which it stands with a case.
  @inline(never)
  func dropCases(of waiter: WaiterPointer) {
    var slot = unsafe waiter.pointee.node.nextCase
    unsafe waiter.pointee.node.nextCase = 0
    while slot != 0 {
      let node = unsafe nodeOf(state.pointee.cases[slot])
      let next = unsafe node.pointee.nextCase
      unsafe remove(node)
      unsafe state.pointee.cases.give(slot)
      slot = next
    }
  }

  private func findCase(of waiter: WaiterPointer, in queue: WaitQueuePointer) -> WaitCasePointer? {
    var slot = unsafe waiter.pointee.node.nextCase
    while slot != 0 {
      let place = unsafe state.pointee.cases[slot]
      if unsafe place.pointee.node.queue == queue { return unsafe place }
      slot = unsafe place.pointee.node.nextCase
    }
    return nil
  }

  /// Puts a node that stands in no queue in the place of another one.
  private func move(_ old: UnsafeMutablePointer<WaitNode>, to new: UnsafeMutablePointer<WaitNode>) {
    guard let queue = unsafe old.pointee.queue else { return }
    unsafe new.pointee.queue = unsafe queue
    if unsafe old.pointee.next == old {
      unsafe new.pointee.next = unsafe new
      unsafe new.pointee.previous = unsafe new
    } else {
      unsafe new.pointee.next = unsafe old.pointee.next
      unsafe new.pointee.previous = unsafe old.pointee.previous
      unsafe new.pointee.next?.pointee.previous = unsafe new
      unsafe new.pointee.previous?.pointee.next = unsafe new
    }
    if unsafe queue.pointee.head == old { unsafe queue.pointee.head = unsafe new }
    unsafe old.pointee.queue = nil
    unsafe old.pointee.isGranted = false
  }
}
