/// What the network of a node has counted since the node was made.
public struct NodeCounters: Sendable {
  /// Packets that the node gave to the network, its own loopback included, and that came to it.
  public var sent: UInt64 = 0
  public var received: UInt64 = 0
  /// TCP segments that were sent before: those of a timer, and of fast recovery, together.
  public var retransmissions: UInt64 = 0
  /// Times that a third duplicate acknowledgement began a recovery.
  public var fastRetransmissions: UInt64 = 0
  /// Times that a retransmission timer ran out.
  public var timeouts: UInt64 = 0
  public var duplicateAcknowledgements: UInt64 = 0
  /// TCP segments with RST that were sent.
  public var resets: UInt64 = 0

  public init() {}
}
