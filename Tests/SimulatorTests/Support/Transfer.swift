import Glibc
import Reactor
import Simulator

/// One side of a connection in a test: sends its bytes, ends its stream, receives until the other
/// has ended, and closes.
final class Transfer {
  let process: Process
  let bytes: [UInt8]
  /// The most that one write or read moves.
  let portion: Int
  var fd: Int32
  private(set) var sent = 0
  private(set) var received: [UInt8] = []
  private(set) var isDone = false
  private(set) var error: Int32 = 0
  private var hasEnded = false
  private var isConnected: Bool

  init(_ process: Process, fd: Int32, bytes: [UInt8], portion: Int, isConnected: Bool) {
    (self.process, self.fd, self.bytes, self.portion) = (process, fd, bytes, portion)
    self.isConnected = isConnected
  }

  /// Does what is possible now.
  func turn() {
    guard !isDone else { return }
    if !isConnected {
      guard process.taken(fd).contains(.writable) else { return }
      isConnected = true
      if case let code = process.error(fd), code != 0 { return fail(code) }
    }
    while sent < bytes.count {
      let end = min(sent + portion, bytes.count)
      let count = process.send(fd, [UInt8](bytes[sent..<end]))
      if count == -Int(EAGAIN) { break }
      if count < 0 { return fail(Int32(-count)) }
      sent += count
    }
    if sent == bytes.count, !hasEnded {
      hasEnded = true
      _ = process.kernel.shutdown(fd, how: 1)
    }
    while let part = process.receive(fd, portion) {
      received += part
      if part.isEmpty {
        if hasEnded { finish() }
        return
      }
    }
    if process.receiveError != 0 { fail(process.receiveError) }
  }

  private func fail(_ code: Int32) {
    error = code
    finish()
  }

  private func finish() {
    isDone = true
    _ = process.kernel.close(fd)
  }
}
