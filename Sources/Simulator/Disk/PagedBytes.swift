/// The content of a file, in pages that are shared until they are changed: a copy of a large file
/// costs a word a page, and then what is written.
struct PagedBytes {
  static let pageSize = 4096

  /// Whole pages; an empty one is a hole, and reads as zeros.
  private var pages: [[UInt8]] = []
  private(set) var count = 0

  init() {}

  init(_ bytes: [UInt8]) {
    _ = unsafe bytes.withUnsafeBytes { unsafe write($0, at: 0) }
  }

  /// Reads at most as much as `buffer` holds. Returns how much that was.
  func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
    guard offset < count else { return 0 }
    let wanted = min(buffer.count, count - offset)
    var done = 0
    while done < wanted {
      let page = (offset + done) / Self.pageSize
      let start = (offset + done) % Self.pageSize
      let part = min(Self.pageSize - start, wanted - done)
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<(done + part)])
      if page >= pages.count || pages[page].isEmpty {
        unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
      } else {
        unsafe target.copyBytes(from: pages[page][start..<(start + part)])
      }
      done += part
    }
    return wanted
  }

  /// Writes all of `bytes`; a gap before them reads as zeros.
  mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
    var done = 0
    while done < bytes.count {
      let page = (offset + done) / Self.pageSize
      let start = (offset + done) % Self.pageSize
      let part = min(Self.pageSize - start, bytes.count - done)
      fill(upTo: page)
      if pages[page].isEmpty { pages[page] = [UInt8](repeating: 0, count: Self.pageSize) }
      let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<(done + part)])
      unsafe pages[page].withUnsafeMutableBytes { page in
        unsafe UnsafeMutableRawBufferPointer(rebasing: page[start..<(start + part)])
          .copyMemory(from: source)
      }
      done += part
    }
    count = max(count, offset + done)
    return done
  }

  /// Cuts the content off, or extends it with zeros.
  mutating func truncate(to length: Int) {
    if length < count {
      let last = length / Self.pageSize
      let kept = length % Self.pageSize
      if kept > 0, last < pages.count, !pages[last].isEmpty {
        pages[last].replaceSubrange(
          kept..., with: repeatElement(0, count: Self.pageSize - kept))
      }
      let needed = last + (kept > 0 ? 1 : 0)
      if needed < pages.count { pages.removeSubrange(needed...) }
    }
    count = length
  }

  var pageCount: Int { pages.count }

  /// Takes page `index` over from another content.
  mutating func takePage(_ index: Int, from other: PagedBytes) {
    fill(upTo: index)
    pages[index] = index < other.pages.count ? other.pages[index] : []
    let end = min((index + 1) * Self.pageSize, other.count)
    count = max(count, end)
  }

  private mutating func fill(upTo page: Int) {
    while pages.count <= page { pages.append([]) }
  }
}
