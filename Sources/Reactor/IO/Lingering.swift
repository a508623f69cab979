/// Connections that were closed while input stood unread, and still let their peer finish.
@safe
struct Lingering {
  @safe
  struct Entry {
    let io: ScheduledIOPointer
    let generation: UInt32
    /// When it was closed, in monotonic nanoseconds.
    let since: UInt64
    /// What `readGeneration` was when it last had to show a sign of life, and when it has to next.
    var seen: UInt64
    var until: UInt64
  }

  /// How long a peer may be silent, and how long it may take in all, in nanoseconds.
  static let patience: UInt64 = 2_000_000_000
  static let limit: UInt64 = 30_000_000_000

  /// Connections that linger now.
  private(set) var count = 0
  /// In the order of `until`, as each is put at the end with the same patience. Those before
  /// `first` are gone, and so are those whose generation has passed.
  private var entries: [Entry] = []
  private var first = 0
  /// Those with input to throw away.
  private var readable: [Entry] = []

  /// Until when a turn may wait: 0 when there is something to do, `UInt64.max` when nothing is due.
  var deadline: UInt64 {
    if !readable.isEmpty { return 0 }
    return first < entries.count ? entries[first].until : .max
  }

  /// - Parameter isReadable: whether it has input to throw away of which no event will tell.
  mutating func add(_ io: ScheduledIOPointer, now: UInt64, isReadable: Bool) {
    count += 1
    let entry = unsafe Entry(
      io: io, generation: io.pointee.generation, since: now, seen: io.pointee.readGeneration,
      until: now + Self.patience)
    entries.append(entry)
    if isReadable { readable.append(entry) }
  }

  /// Notes that an event came for one that lingers.
  mutating func noteEvent(_ io: ScheduledIOPointer) {
    unsafe io.pointee.readGeneration &+= 1
    unsafe readable.append(
      Entry(io: io, generation: io.pointee.generation, since: 0, seen: 0, until: 0))
  }

  mutating func noteEnd() {
    count -= 1
    guard count == 0 else { return }
    entries.removeAll()
    readable.removeAll()
    first = 0
  }

  /// Takes those with input to throw away.
  mutating func takeReadable() -> [Entry] {
    defer { readable.removeAll() }
    return readable
  }

  mutating func keepReadable(_ entry: Entry) { readable.append(entry) }

  /// Takes one whose time is up. nil: there is none.
  mutating func takeExpired(now: UInt64) -> ScheduledIOPointer? {
    while first < entries.count {
      var entry = entries[first]
      let isGone = unsafe entry.io.pointee.generation != entry.generation
      if !isGone, entry.until > now { return nil }
      first += 1
      if first >= 64, first * 2 > entries.count {
        entries.removeFirst(first)
        first = 0
      }
      if isGone { continue }
      let generation = unsafe entry.io.pointee.readGeneration
      if generation == entry.seen || now >= entry.since + Self.limit {
        return unsafe entry.io
      }
      entry.seen = generation
      entry.until = now + Self.patience
      entries.append(entry)
    }
    return nil
  }
}
