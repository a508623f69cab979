import Glibc
import Reactor

/// What scripts print: kept in order, written at the end of each round, and never waited for
/// while it is small.
struct StandardOutput {
  private var buffer: [UInt8] = []
  private var start = 0
  /// Above this, `write` asks its caller to wait until the reader has caught up.
  static let limit = 1 << 20
  /// Above this, bytes are written without waiting for the end of the round.
  private static let eager = 16_384
  private(set) var failure: Int32 = 0

  /// The errno of the last failed write, which is reported once.
  mutating func takeFailure() -> Int32 {
    defer { failure = 0 }
    return failure
  }

  var isFull: Bool { buffer.count - start >= Self.limit }
  var isEmpty: Bool { buffer.count == start }

  mutating func append(_ bytes: UnsafeRawBufferPointer, _ kernel: Kernel) {
    unsafe buffer.append(contentsOf: bytes)
    if buffer.count - start >= Self.eager { flush(kernel) }
  }

  /// Writes as much as goes without waiting. Returns whether everything is out.
  @discardableResult
  mutating func flush(_ kernel: Kernel) -> Bool {
    while start < buffer.count {
      let written = unsafe buffer.withUnsafeBytes {
        unsafe kernel.writeStandard(1, UnsafeRawBufferPointer(rebasing: $0[start...]))
      }
      if written == -Int(EAGAIN) { return false }
      if written < 0 {
        // Nobody reads any more: what was printed has nowhere to go.
        failure = Int32(truncatingIfNeeded: -written)
        start = buffer.count
        break
      }
      start += written
    }
    buffer.removeAll(keepingCapacity: buffer.capacity <= Self.eager * 4)
    start = 0
    return true
  }

  /// Writes everything, at the end of a run. Gives up on a reader that takes nothing for 5 s.
  mutating func flushAll(_ kernel: Kernel) {
    let patience: UInt64 = 5_000_000_000
    let batch = EventBatch(capacity: 1)
    var until = kernel.monotonic() + patience
    var left = buffer.count - start
    while !flush(kernel) {
      let now = kernel.monotonic()
      if buffer.count - start < left {
        left = buffer.count - start
        until = now + patience
      }
      if now >= until { return }
      batch.removeAll()
      _ = kernel.poll(until: now + 1_000_000, into: batch)
    }
  }
}
