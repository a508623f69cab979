/// Deadlines in order: a 4-ary heap of waiters, in which any one can be removed at once.
///
/// Equal deadlines keep the order in which they were added. Times are monotonic nanoseconds.
@safe
struct TimerHeap {
  @safe
  struct Entry {
    var deadline: UInt64
    var sequence: UInt64
    var waiter: UnsafeMutablePointer<Waiter>

    func isBefore(_ other: Entry) -> Bool {
      deadline != other.deadline ? deadline < other.deadline : sequence < other.sequence
    }
  }

  private var entries: UnsafeMutablePointer<Entry>
  private var capacity = 64
  private var sequence: UInt64 = 0
  private(set) var count = 0

  init() { unsafe entries = .allocate(capacity: capacity) }

  func deallocate() { unsafe entries.deallocate() }

  /// The earliest deadline, or nil when there is none.
  var next: UInt64? { unsafe count == 0 ? nil : entries[0].deadline }

  mutating func insert(_ waiter: UnsafeMutablePointer<Waiter>, deadline: UInt64) {
    if count == capacity { resize(to: capacity * 2) }
    sequence += 1
    count += 1
    unsafe rise(from: count - 1, Entry(deadline: deadline, sequence: sequence, waiter: waiter))
  }

  mutating func remove(_ waiter: UnsafeMutablePointer<Waiter>) {
    let index = unsafe Int(waiter.pointee.heapIndex)
    guard index >= 0 else { return }
    unsafe waiter.pointee.heapIndex = -1
    count -= 1
    let last = unsafe entries[count]
    if index < count {
      if index > 0, unsafe last.isBefore(entries[(index - 1) / 4]) {
        rise(from: index, last)
      } else {
        sink(from: index, last)
      }
    }
    if capacity > 1024, count < capacity / 8 { resize(to: capacity / 2) }
  }

  /// Removes the earliest waiter whose deadline is not after `now`.
  mutating func popExpired(now: UInt64) -> UnsafeMutablePointer<Waiter>? {
    guard count > 0, unsafe entries[0].deadline <= now else { return nil }
    let waiter = unsafe entries[0].waiter
    unsafe remove(waiter)
    return unsafe waiter
  }

  private mutating func rise(from start: Int, _ entry: Entry) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 4
      guard unsafe entry.isBefore(entries[parent]) else { break }
      unsafe place(entries[parent], at: index)
      index = parent
    }
    place(entry, at: index)
  }

  private mutating func sink(from start: Int, _ entry: Entry) {
    var index = start
    while true {
      let first = index * 4 + 1
      guard first < count else { break }
      var least = first
      var child = first + 1
      while child < min(first + 4, count) {
        if unsafe entries[child].isBefore(entries[least]) { least = child }
        child += 1
      }
      guard unsafe entries[least].isBefore(entry) else { break }
      unsafe place(entries[least], at: index)
      index = least
    }
    place(entry, at: index)
  }

  private func place(_ entry: Entry, at index: Int) {
    unsafe entries[index] = entry
    unsafe entry.waiter.pointee.heapIndex = Int32(truncatingIfNeeded: index)
  }

  private mutating func resize(to newCapacity: Int) {
    let moved = UnsafeMutablePointer<Entry>.allocate(capacity: newCapacity)
    unsafe moved.update(from: entries, count: count)
    unsafe entries.deallocate()
    unsafe entries = unsafe moved
    capacity = newCapacity
  }
}
