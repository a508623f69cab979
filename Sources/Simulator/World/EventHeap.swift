/// All that is to happen, earliest first: a 4-ary heap of plain records.
///
/// Nothing is ever removed from its middle. Whoever loses interest in an event notices, when it
/// comes, that it is stale.
@safe
struct EventHeap {
  private var entries: UnsafeMutablePointer<Event>
  private var capacity = 256
  private(set) var count = 0

  init() { unsafe entries = .allocate(capacity: capacity) }

  func deallocate() { unsafe entries.deallocate() }

  /// The time of the earliest event; nil when nothing is to happen.
  var nextTime: UInt64? { unsafe count == 0 ? nil : entries[0].time }

  mutating func push(_ event: Event) {
    if count == capacity { grow() }
    var index = count
    count &+= 1
    while index > 0 {
      let parent = (index &- 1) / 4
      guard unsafe event.isBefore(entries[parent]) else { break }
      unsafe entries[index] = entries[parent]
      index = parent
    }
    unsafe entries[index] = event
  }

  /// Takes the earliest event if its time is not after `time`.
  mutating func pop(notAfter time: UInt64) -> Event? {
    guard count > 0, unsafe entries[0].time <= time else { return nil }
    let first = unsafe entries[0]
    count &-= 1
    if count > 0 { unsafe sink(entries[count]) }
    return first
  }

  /// Puts `event` into the place of the first one.
  private mutating func sink(_ event: Event) {
    var index = 0
    while true {
      let first = index &* 4 &+ 1
      guard first < count else { break }
      var least = first
      var child = first &+ 1
      let end = min(first &+ 4, count)
      while child < end {
        if unsafe entries[child].isBefore(entries[least]) { least = child }
        child &+= 1
      }
      guard unsafe entries[least].isBefore(event) else { break }
      unsafe entries[index] = entries[least]
      index = least
    }
    unsafe entries[index] = event
  }

  private mutating func grow() {
    let moved = UnsafeMutablePointer<Event>.allocate(capacity: capacity * 2)
    unsafe moved.moveUpdate(from: entries, count: count)
    unsafe entries.deallocate()
    unsafe entries = unsafe moved
    capacity *= 2
  }
}
