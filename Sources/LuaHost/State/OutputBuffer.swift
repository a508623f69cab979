import Glibc
import Reactor

/// Bytes on their way to a file or a standard stream: kept in order, and written without waiting.
@safe
final class OutputBuffer {
  /// When bytes are written that do not fill the buffer.
  enum Mode { case full, line, unbuffered }

  private let fd: Int32
  /// Descriptors 1 and 2 belong to others too, and may block.
  private let isStandard: Bool
  @safe @exclusivity(unchecked) private var buffer: [UInt8] = []
  @safe @exclusivity(unchecked) private var start = 0
  @safe @exclusivity(unchecked) private var failure: Int32 = 0
  @safe @exclusivity(unchecked) var mode: Mode
  /// Above this, a caller that may wait does so until the reader has caught up.
  private static let limit = 1 << 20
  /// Above this, bytes are written without waiting for the end of the round.
  private static let eager = 16_384
  /// How long the end of a program waits for a reader that takes nothing, in nanoseconds.
  private static let patience: UInt64 = 5_000_000_000

  init(fd: Int32, isStandard: Bool = false, mode: Mode = .full) {
    self.fd = fd
    self.isStandard = isStandard
    self.mode = mode
  }

  var count: Int { buffer.count - start }
  var isEmpty: Bool { count == 0 }
  var isFull: Bool { count >= Self.limit }

  /// The errno of the last failed write, which is reported once. 0: none failed.
  func takeFailure() -> Int32 {
    defer { failure = 0 }
    return failure
  }

  func append(_ bytes: UnsafeRawBufferPointer, _ kernel: Kernel) {
    unsafe buffer.append(contentsOf: bytes)
    switch mode {
    case .full: if count < Self.eager { return }
    case .line: if count < Self.eager, unsafe !bytes.contains(10) { return }
    case .unbuffered: break
    }
    flush(kernel)
  }

  /// Writes as much as goes without waiting. Returns whether everything is out.
  @discardableResult
  func flush(_ kernel: Kernel) -> Bool {
    while start < buffer.count {
      let written = unsafe buffer.withUnsafeBytes {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: $0[start...])
        return unsafe isStandard ? kernel.writeStandard(fd, rest) : kernel.write(fd, rest)
      }
      if written == -Int(EAGAIN) { return false }
      if written < 0 {
        // Nobody reads any more, or the disk is full: the bytes have nowhere to go.
        failure = Int32(truncatingIfNeeded: -written)
        break
      }
      start += written
    }
    buffer.removeAll(keepingCapacity: buffer.capacity <= Self.eager * 4)
    start = 0
    return true
  }

  /// Writes everything, where nobody can wait. Gives up on a reader that takes nothing for 5 s.
  func flushAll(_ kernel: Kernel) {
    if flush(kernel) { return }
    let batch = EventBatch(capacity: 1)
    var until = kernel.monotonic() + Self.patience
    var left = count
    while !flush(kernel) {
      let now = kernel.monotonic()
      if count < left {
        left = count
        until = now + Self.patience
      }
      if now >= until { return }
      batch.removeAll()
      _ = kernel.poll(until: now + 1_000_000, into: batch)
    }
  }
}
