/// All that is to happen, earliest first, and what is at the same time in the order in which it
/// was pushed: a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan 1990).
///
/// Bucket n holds the events whose time differs from the last one taken in bit n - 1, and in none
/// above; bucket 0 those of that very time. When the lower buckets are empty, the first one that
/// is not is dealt out to them, in its order. So each event moves down a few times, always along
/// with its neighbours in memory, and never has a place to be searched for.
///
/// Nothing is ever removed from the middle. Whoever loses interest in an event notices, when it
/// comes, that it is stale.
@safe
struct EventHeap {
  @safe
  private struct Bucket {
    var events: UnsafeMutablePointer<Event>
    /// The earliest of them.
    var first = UInt64.max
    var count = 0
    var capacity: Int
  }

  private static let bucketCount = 65
  private let buckets: UnsafeMutablePointer<Bucket>
  /// Bit n: bucket n + 1 has events.
  private var filled: UInt64 = 0
  /// The time of the last event that was taken: none is before it.
  private var last: UInt64 = 0
  /// How many events of bucket 0 were taken.
  private var taken = 0
  private(set) var count = 0
  /// The time of the earliest event; `UInt64.max` when nothing is to happen.
  private(set) var nextTime = UInt64.max

  init() {
    unsafe buckets = .allocate(capacity: Self.bucketCount)
    for index in 0..<Self.bucketCount {
      unsafe (buckets + index).initialize(to: Bucket(events: .allocate(capacity: 4), capacity: 4))
    }
  }

  func deallocate() {
    for index in 0..<Self.bucketCount { unsafe buckets[index].events.deallocate() }
    unsafe buckets.deallocate()
  }

  /// Adds an event whose time is not before that of the last one taken.
  @inline(__always)
  mutating func push(_ event: Event) {
    count &+= 1
    nextTime = min(nextTime, event.time)
    place(event)
  }

  /// Takes the first event, if its time is `time`.
  @inline(__always)
  mutating func pop(at time: UInt64) -> Event? {
    guard nextTime == time else { return nil }
    if unsafe taken == buckets[0].count { deal() }
    let event = unsafe buckets[0].events[taken]
    taken &+= 1
    count &-= 1
    if unsafe taken == buckets[0].count { findNext() }
    return event
  }

  @inline(__always)
  private mutating func place(_ event: Event) {
    let index = UInt64.bitWidth - (event.time ^ last).leadingZeroBitCount
    if index > 0 { filled |= 1 << UInt64(index - 1) }
    let bucket = unsafe buckets + index
    if unsafe bucket.pointee.count == bucket.pointee.capacity { unsafe Self.grow(bucket) }
    unsafe bucket.pointee.first = unsafe min(bucket.pointee.first, event.time)
    unsafe bucket.pointee.events[bucket.pointee.count] = event
    unsafe bucket.pointee.count &+= 1
  }

  /// Moves on to the time of the earliest event: brings all events of that time into bucket 0.
  private mutating func deal() {
    last = nextTime
    let index = filled.trailingZeroBitCount + 1
    filled &= filled - 1
    let events = unsafe buckets[index].events
    let dealt = unsafe buckets[index].count
    unsafe buckets[index].count = 0
    unsafe buckets[index].first = .max
    for number in 0..<dealt { unsafe place(events[number]) }
  }

  /// Bucket 0 is used up: finds the time of the first event of the others.
  private mutating func findNext() {
    taken = 0
    unsafe buckets[0].count = 0
    unsafe buckets[0].first = .max
    nextTime = unsafe filled == 0 ? .max : buckets[filled.trailingZeroBitCount + 1].first
  }

  private static func grow(_ bucket: UnsafeMutablePointer<Bucket>) {
    let capacity = unsafe bucket.pointee.capacity * 2
    let moved = UnsafeMutablePointer<Event>.allocate(capacity: capacity)
    unsafe moved.update(from: bucket.pointee.events, count: bucket.pointee.count)
    unsafe bucket.pointee.events.deallocate()
    unsafe bucket.pointee.events = unsafe moved
    unsafe bucket.pointee.capacity = capacity
  }
}
