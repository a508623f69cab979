/// A waiter's place in one of the several queues in which it waits.
@safe
struct WaitCase {
  /// The first field, so that the address of the node is that of its case.
  var node = WaitNode()
  let waiter: WaiterPointer
  /// From 1 on, in the order in which the queues were named.
  let number: UInt16
}

typealias WaitCasePointer = UnsafeMutablePointer<WaitCase>

/// The cases of all waiters, by number from 1 on; free ones are used again.
@safe
struct CasePool {
  private static let chunkSize = 64
  private var chunks: [WaitCasePointer] = unsafe []
  private var firstFree: UInt32 = 0
  private var used: UInt32 = 0
  /// Cases that are in use.
  private(set) var count = 0

  subscript(number: UInt32) -> WaitCasePointer {
    let index = Int(number) - 1
    return unsafe chunks[index / Self.chunkSize] + index % Self.chunkSize
  }

  mutating func take(for waiter: WaiterPointer, number: UInt16) -> UInt32 {
    count += 1
    let slot: UInt32
    if firstFree != 0 {
      slot = firstFree
      firstFree = unsafe self[slot].pointee.node.nextCase
    } else {
      if Int(used) % Self.chunkSize == 0 {
        unsafe chunks.append(.allocate(capacity: Self.chunkSize))
      }
      used += 1
      slot = used
    }
    let place = unsafe self[slot]
    unsafe place.initialize(to: WaitCase(waiter: waiter, number: number))
    unsafe place.pointee.node.isCase = true
    return slot
  }

  mutating func give(_ slot: UInt32) {
    count -= 1
    unsafe self[slot].pointee.node.nextCase = firstFree
    firstFree = slot
  }

  func deallocate() {
    for index in unsafe chunks.indices { unsafe chunks[index].deallocate() }
  }
}
