import Glibc
import LuaHost
import Reactor

/// A file of Lua source, read whole.
struct SourceFile {
  let chunk: Chunk

  /// - Throws: `UsageError` when it cannot be opened or read.
  init(_ path: [UInt8], _ kernel: Kernel) throws {
    let text = String(decoding: path, as: UTF8.self)
    guard let file = unsafe path.withUnsafeBytes({ unsafe CPath(bytes: $0) }) else {
      throw UsageError(text: "cannot open \(text): \(SystemError.text(of: ENAMETOOLONG))")
    }
    let fd = kernel.open(file, flags: O_RDONLY | O_CLOEXEC, mode: 0)
    if fd < 0 { throw UsageError(text: "cannot open \(text): \(SystemError.text(of: -fd))") }
    defer { _ = kernel.close(fd) }
    var source: [UInt8] = []
    let result = unsafe Self.read(into: &source) { unsafe kernel.read(fd, $0) }
    if result < 0 {
      let error = SystemError.text(of: Int32(truncatingIfNeeded: -result))
      throw UsageError(text: "cannot read \(text): \(error)")
    }
    chunk = Chunk(Self.withoutShebang(source), name: "@" + text)
  }

  private init(chunk: Chunk) { self.chunk = chunk }

  /// Waits until standard input ends: nothing runs before its program is there.
  static func standardInput(_ kernel: Kernel) -> SourceFile {
    var source: [UInt8] = []
    _ = unsafe read(into: &source) { room in
      let result = unsafe Glibc.read(0, room.baseAddress, room.count)
      return result < 0 ? -Int(errno) : result
    }
    return SourceFile(chunk: Chunk(withoutShebang(source), name: "=stdin"))
  }

  /// Reads to the end. Returns 0 or `-errno`.
  private static func read(
    into source: inout [UInt8], _ body: (UnsafeMutableRawBufferPointer) -> Int
  ) -> Int {
    var block = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe block.withUnsafeMutableBytes { unsafe body($0) }
      if count == -Int(EINTR) { continue }
      if count <= 0 { return count }
      source += block[..<count]
    }
  }

  /// Drops a byte order mark, and a first line that begins with `#`. Its end stays, so that the
  /// lines keep their numbers.
  private static func withoutShebang(_ source: [UInt8]) -> [UInt8] {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = source.starts(with: mark) ? source.dropFirst(mark.count) : source[...]
    guard text.first == UInt8(ascii: "#") else { return Array(text) }
    return Array(text.drop { $0 != UInt8(ascii: "\n") })
  }
}
