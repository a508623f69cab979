/// Finds small numbers by 64-bit keys: open addressing, one multiplication a look-up. Nothing is
/// ever removed, and nobody iterates.
@safe
struct IntegerTable {
  private struct Entry {
    var key: UInt64
    /// One more than the value; 0: free.
    var value: UInt32
  }

  private var entries: UnsafeMutablePointer<Entry>
  private var mask = 63
  private(set) var count = 0

  init() { unsafe entries = Self.allocate(mask + 1) }

  func deallocate() { unsafe entries.deallocate() }

  @inline(__always)
  subscript(key: UInt64) -> UInt32? {
    let entry = unsafe entries[find(key)]
    return entry.value == 0 ? nil : entry.value - 1
  }

  mutating func set(_ key: UInt64, _ value: UInt32) {
    if count * 3 > mask * 2 { grow() }
    let index = find(key)
    if unsafe entries[index].value == 0 { count += 1 }
    unsafe entries[index] = Entry(key: key, value: value + 1)
  }

  /// Where a key is, or would be.
  @inline(__always)
  private func find(_ key: UInt64) -> Int {
    var index = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & mask
    while unsafe entries[index].value != 0 && entries[index].key != key {
      index = (index &+ 1) & mask
    }
    return index
  }

  private mutating func grow() {
    let (old, size) = unsafe (entries, mask + 1)
    mask = size * 2 - 1
    unsafe entries = Self.allocate(size * 2)
    for index in 0..<size where unsafe old[index].value != 0 {
      let target = unsafe find(old[index].key)
      unsafe entries[target] = unsafe old[index]
    }
    unsafe old.deallocate()
  }

  private static func allocate(_ size: Int) -> UnsafeMutablePointer<Entry> {
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: size)
    unsafe entries.initialize(repeating: Entry(key: 0, value: 0), count: size)
    return unsafe entries
  }
}
