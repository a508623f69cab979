import Reactor

/// What one send put into the queue of a Unix socket: bytes, and the files passed along.
struct UnixMessage {
  let bytes: [UInt8]
  /// How many of the bytes were taken.
  var taken = 0
  /// Open files on their way to another descriptor; each is kept open.
  var files: [OpenFile] = []
  /// Who sent it: its send buffer is charged until the message is taken.
  let sender: UnixSocket
  /// The name of the sender, when it had one.
  let address: SocketAddress?

  /// What the sender is charged, with what the kernel keeps of a message.
  var charge: Int { 576 + bytes.count }
}
