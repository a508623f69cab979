/// Bytes in a ring: appended at its end, read anywhere, dropped at its beginning. An empty one
/// has no memory.
@safe
struct ByteRing {
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0
  private var start = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
    if count + bytes.count > capacity { grow(to: count + bytes.count) }
    guard let memory = unsafe memory else { return }
    let end = (start + count) & (capacity - 1)
    let head = min(bytes.count, capacity - end)
    unsafe (memory + end).copyMemory(from: source, byteCount: head)
    unsafe memory.copyMemory(from: source + head, byteCount: bytes.count - head)
    count += bytes.count
  }

  /// Copies `length` bytes from `offset` on; they must be there.
  func copy(from offset: Int, count length: Int, to target: UnsafeMutableRawPointer) {
    guard let memory = unsafe memory, offset + length <= count else { return }
    let begin = (start + offset) & (capacity - 1)
    let head = min(length, capacity - begin)
    unsafe target.copyMemory(from: memory + begin, byteCount: head)
    unsafe (target + head).copyMemory(from: memory, byteCount: length - head)
  }

  mutating func removeFirst(_ length: Int) {
    let length = min(length, count)
    count -= length
    if count == 0 { removeAll() } else { start = (start + length) & (capacity - 1) }
  }

  mutating func removeAll() {
    unsafe memory?.deallocate()
    unsafe memory = nil
    (capacity, start, count) = (0, 0, 0)
  }

  private mutating func grow(to needed: Int) {
    let larger = max(256, 1 << (Int.bitWidth - (needed - 1).leadingZeroBitCount))
    let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    unsafe copy(from: 0, count: count, to: moved)
    unsafe memory?.deallocate()
    unsafe memory = unsafe moved
    capacity = larger
    start = 0
  }
}
