/// Why a packet went no further.
public enum DropReason: UInt8, Sendable {
  /// No socket was bound to its port.
  case noSocket = 1
  /// The socket's receive buffer was full.
  case receiveBuffer
  /// The listener's queue was full.
  case backlog
  /// The node was switched off.
  case powerOff
  /// Its checksum was wrong.
  case checksum
  /// A rule of the link lost it.
  case loss
  /// The queue of the link was full.
  case queue
  /// A partition stood between.
  case partition
}
