/// Bytes in order: taken from the front, added at the end. One word, and no memory while it is
/// empty: a server has one for each connection.
@safe
package struct ByteBuffer {
  /// Stands before the bytes, in the same block.
  private struct Header {
    var capacity: Int
    var start = 0
    var end = 0
  }

  private static let headerBytes = 32
  private var block: UnsafeMutableRawPointer?

  package init() {}

  private var header: UnsafeMutablePointer<Header>? {
    unsafe block?.assumingMemoryBound(to: Header.self)
  }

  package var count: Int {
    guard let header = unsafe header else { return 0 }
    return unsafe header.pointee.end - header.pointee.start
  }

  package var isEmpty: Bool { unsafe block == nil || count == 0 }

  package var bytes: UnsafeRawBufferPointer {
    guard let block = unsafe block, let header = unsafe header else {
      return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return unsafe UnsafeRawBufferPointer(
      start: block + Self.headerBytes + header.pointee.start, count: count)
  }

  /// The free room at the end. Fill it, then say how much with `advance(by:)`.
  package var room: UnsafeMutableRawBufferPointer {
    guard let block = unsafe block, let header = unsafe header else {
      return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
    return unsafe UnsafeMutableRawBufferPointer(
      start: block + Self.headerBytes + header.pointee.end,
      count: header.pointee.capacity - header.pointee.end)
  }

  /// Makes room for `extra` bytes at the end.
  package mutating func reserve(_ extra: Int) {
    guard let header = unsafe header else { return move(capacity: extra, front: 0) }
    if unsafe header.pointee.capacity - header.pointee.end >= extra { return }
    if unsafe header.pointee.capacity - count >= extra, let block = unsafe block {
      let bytes = unsafe block + Self.headerBytes
      unsafe bytes.copyMemory(from: bytes + header.pointee.start, byteCount: count)
      unsafe header.pointee.end = count
      unsafe header.pointee.start = 0
      return
    }
    unsafe move(capacity: max(count + extra, header.pointee.capacity * 2), front: 0)
  }

  package mutating func advance(by count: Int) { unsafe header?.pointee.end += count }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard unsafe !bytes.isEmpty else { return }
    reserve(bytes.count)
    unsafe room.copyMemory(from: bytes)
    advance(by: bytes.count)
  }

  /// Puts bytes before all others.
  package mutating func prepend(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
    if unsafe (header?.pointee.start ?? 0) < bytes.count {
      let front = count + 2 * bytes.count
      move(capacity: front + count, front: front)
    }
    guard let block = unsafe block, let header = unsafe header else { return }
    unsafe header.pointee.start -= bytes.count
    unsafe (block + Self.headerBytes + header.pointee.start)
      .copyMemory(from: source, byteCount: bytes.count)
  }

  /// Takes bytes from the front. An empty buffer gives its memory back.
  package mutating func consume(_ count: Int) {
    unsafe header?.pointee.start += min(count, self.count)
    if isEmpty { removeAll() }
  }

  package mutating func removeAll() {
    unsafe block?.deallocate()
    unsafe block = nil
  }

  /// Moves the bytes into a block of their own size, `front` bytes behind its beginning.
  private mutating func move(capacity: Int, front: Int) {
    let moved = UnsafeMutableRawPointer.allocate(
      byteCount: Self.headerBytes + capacity, alignment: 16)
    let held = unsafe bytes
    unsafe moved.assumingMemoryBound(to: Header.self).initialize(
      to: Header(capacity: capacity, start: front, end: front + held.count))
    if let source = held.baseAddress {
      unsafe (moved + Self.headerBytes + front).copyMemory(from: source, byteCount: held.count)
    }
    unsafe block?.deallocate()
    unsafe block = unsafe moved
  }
}
