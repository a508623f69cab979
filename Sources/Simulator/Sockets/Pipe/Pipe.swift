import Glibc

/// The bytes between the two ends of a pipe, in at most 16 pages. Source: pipe(7).
final class Pipe {
  static let pageSize = 4_096
  static let pageCount = 16

  /// Pages in use: bytes, and how many of them were read.
  private var pages: [(bytes: [UInt8], read: Int)] = []
  /// The ends that are open.
  @safe @exclusivity(unchecked) var reader: PipeEnd?
  @safe @exclusivity(unchecked) var writer: PipeEnd?

  var isEmpty: Bool { pages.isEmpty }
  var isFull: Bool { pages.count >= Self.pageCount }

  func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    if unsafe buffer.isEmpty { return 0 }
    if pages.isEmpty { return writer == nil ? 0 : Int(-EAGAIN) }
    let wasFull = isFull
    var filled = 0
    while filled < buffer.count, let page = pages.first {
      let part = min(page.bytes.count - page.read, buffer.count - filled)
      unsafe page.bytes.withUnsafeBytes { bytes in
        let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[page.read..<page.read + part])
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: source)
      }
      filled += part
      if page.read + part == page.bytes.count {
        pages.removeFirst()
      } else {
        pages[0].read += part
      }
    }
    if wasFull, !isFull { writer?.signal(.writable) }
    return filled
  }

  /// Takes what fits; at most a page is taken whole or not at all.
  func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let reader else { return Int(-EPIPE) }
    if unsafe bytes.isEmpty { return 0 }
    var taken = unsafe merge(bytes)
    while taken < bytes.count, !isFull {
      let end = min(taken + Self.pageSize, bytes.count)
      unsafe pages.append(([UInt8](bytes[taken..<end]), 0))
      taken = end
    }
    guard taken > 0 else { return Int(-EAGAIN) }
    reader.signal(.readable)
    return taken
  }

  /// Puts the part of the bytes that fills no page behind those of the last page, if it fits.
  private func merge(_ bytes: UnsafeRawBufferPointer) -> Int {
    let part = bytes.count % Self.pageSize
    guard part > 0, let last = pages.indices.last,
      pages[last].bytes.count + part <= Self.pageSize
    else { return 0 }
    unsafe pages[last].bytes.append(contentsOf: bytes[..<part])
    return part
  }
}
