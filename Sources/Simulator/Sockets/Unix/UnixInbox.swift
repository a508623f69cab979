import Reactor

/// What waits in a Unix socket to be received, oldest first.
struct UnixInbox {
  private var messages: [UnixMessage] = []

  var isEmpty: Bool { messages.isEmpty }
  var count: Int { messages.count }

  mutating func append(_ message: UnixMessage) { messages.append(message) }

  /// What a receive took.
  struct Receipt {
    /// Bytes that were copied, and that the message has.
    var copied = 0
    var length = 0
    /// Files that were passed along.
    var files: [OpenFile] = []
    var address: SocketAddress?
    /// Messages that are gone, and charge their senders no more.
    var finished: [UnixMessage] = []
  }

  /// Takes one message, cut to the buffer.
  mutating func takeMessage(_ buffer: UnsafeMutableRawBufferPointer, peeks: Bool) -> Receipt {
    let first = messages[0]
    var receipt = Receipt()
    receipt.copied = unsafe Self.copy(first.bytes[...], to: buffer)
    receipt.length = first.bytes.count
    receipt.address = first.address
    if peeks { return receipt }
    messages.removeFirst()
    receipt.files = first.files
    receipt.finished = [first]
    return receipt
  }

  /// Takes from one message after the other, up to the end of one that passed files.
  mutating func takeBytes(_ buffer: UnsafeMutableRawBufferPointer, peeks: Bool) -> Receipt {
    var receipt = Receipt()
    var index = 0
    while receipt.copied < buffer.count, index < messages.count {
      let hasFiles = !messages[index].files.isEmpty
      if hasFiles, receipt.copied > 0 { break }
      let bytes = messages[index].bytes[messages[index].taken...]
      let part = unsafe Self.copy(
        bytes, to: UnsafeMutableRawBufferPointer(rebasing: buffer[receipt.copied...]))
      receipt.copied += part
      if peeks {
        index += 1
      } else {
        receipt.files += messages[0].files
        messages[0].files = []
        messages[0].taken += part
        if messages[0].taken == messages[0].bytes.count {
          receipt.finished.append(messages.removeFirst())
        }
      }
      if hasFiles { break }
    }
    receipt.length = receipt.copied
    return receipt
  }

  /// Drops everything.
  mutating func takeAll() -> [UnixMessage] {
    defer { messages = [] }
    return messages
  }

  private static func copy(
    _ bytes: ArraySlice<UInt8>, to buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    let count = min(bytes.count, buffer.count)
    unsafe bytes.withUnsafeBytes {
      unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
    }
    return count
  }
}
