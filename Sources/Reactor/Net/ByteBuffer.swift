/// Bytes in order: taken from the front, added at the end. Holds no memory while it is empty.
@safe
package struct ByteBuffer {
  private var storage: UnsafeMutableRawPointer?
  private var capacity = 0
  package private(set) var start = 0
  package private(set) var end = 0

  package init() {}

  package var count: Int { end - start }
  package var isEmpty: Bool { start == end }

  package var bytes: UnsafeRawBufferPointer {
    guard let storage = unsafe storage, count > 0 else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
    return unsafe UnsafeRawBufferPointer(start: storage + start, count: count)
  }

  /// The free room at the end. Fill it, then say how much with `advance(by:)`.
  package var room: UnsafeMutableRawBufferPointer {
    guard let storage = unsafe storage else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
    return unsafe UnsafeMutableRawBufferPointer(start: storage + end, count: capacity - end)
  }

  /// Makes room for `extra` bytes at the end.
  package mutating func reserve(_ extra: Int) {
    guard capacity - end < extra else { return }
    if start > 0, capacity - count >= extra, let storage = unsafe storage {
      unsafe storage.copyMemory(from: storage + start, byteCount: count)
    } else {
      let wanted = max(count + extra, capacity * 2)
      let moved = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
      if let storage = unsafe storage {
        unsafe moved.copyMemory(from: storage + start, byteCount: count)
        unsafe storage.deallocate()
      }
      unsafe storage = unsafe moved
      capacity = wanted
    }
    end -= start
    start = 0
  }

  package mutating func advance(by count: Int) { end += count }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
    reserve(bytes.count)
    unsafe storage.map { unsafe ($0 + end).copyMemory(from: source, byteCount: bytes.count) }
    end += bytes.count
  }

  /// Puts bytes before all others.
  package mutating func prepend(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
    if start < bytes.count {
      let held = count
      let wanted = (held + bytes.count) * 2
      let moved = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
      let front = wanted - held
      if let storage = unsafe storage {
        unsafe (moved + front).copyMemory(from: storage + start, byteCount: held)
        unsafe storage.deallocate()
      }
      unsafe storage = unsafe moved
      capacity = wanted
      start = front
      end = wanted
    }
    start -= bytes.count
    unsafe storage.map { unsafe ($0 + start).copyMemory(from: source, byteCount: bytes.count) }
  }

  /// Takes bytes from the front. An empty buffer gives its memory back.
  package mutating func consume(_ count: Int) {
    start += min(count, self.count)
    if isEmpty { removeAll() }
  }

  package mutating func removeAll() {
    unsafe storage?.deallocate()
    unsafe storage = nil
    capacity = 0
    start = 0
    end = 0
  }
}
