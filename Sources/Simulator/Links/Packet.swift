/// An IP packet on its way, or waiting in a socket's queue: a plain record at a fixed place.
@safe
struct Packet {
  enum Kind: UInt8 {
    case udp = 17
    case tcp = 6
    /// An ICMP message: the port of the packet that it names is closed.
    case unreachable = 1
  }

  /// The next one in a queue, or in the list of the free.
  var next: PacketPointer?
  /// Its bytes after the headers; nil for none.
  var payload: UnsafeMutableRawPointer?
  var source: Endpoint
  var destination: Endpoint
  /// The number of the transmission, the same at the sender and at the receiver.
  var id: UInt64
  var count: UInt32
  /// How much of the payload was taken by a reader of a stream.
  var taken: UInt32
  /// The node that it goes to.
  var node: UInt32
  /// The direction of a link that it is on.
  var link: UInt32
  /// Of TCP.
  var sequence: UInt32
  var acknowledgement: UInt32
  var window: UInt16
  /// The options of a SYN: the largest segment that its sender takes, and its window's scale.
  var segmentLimit: UInt16
  var scale: UInt8
  var flags: TCPFlags
  var kind: Kind
  /// A hash of what it carries and says.
  var digest: UInt64
  /// It carries what its sender has sent before.
  var isRetransmission: Bool
  /// It counts for the limit of its link.
  var isCounted: Bool
  /// A bit was flipped on the way, so that its checksum is wrong.
  var isCorrupt: Bool
}

typealias PacketPointer = UnsafeMutablePointer<Packet>
