import Reactor

/// A packet that was sent, received or dropped, as a capture sees it. Valid during the call that
/// it is given to.
@safe
public struct PacketEvent {
  public enum Kind: Sendable, Hashable {
    case sent, received
    case dropped(DropReason)
  }

  public let kind: Kind
  /// Nanoseconds of the world.
  public let time: UInt64
  /// The node that sees it: the sender of one that was sent, the receiver of one that was
  /// received; of one that was dropped, where that happened.
  public let node: Node
  private let packet: PacketPointer

  init(kind: Kind, time: UInt64, node: Node, packet: PacketPointer) {
    (self.kind, self.time, self.node) = (kind, time, node)
    unsafe self.packet = unsafe packet
  }

  /// The number of the packet, the same wherever it is seen, and of its copies.
  public var id: UInt64 { unsafe packet.pointee.id }
  /// 17 UDP, 6 TCP, 1 ICMP.
  public var protocolNumber: UInt8 { unsafe packet.pointee.kind.rawValue }
  public var source: SocketAddress {
    unsafe packet.pointee.source.socketAddress(isIPv6: !packet.pointee.source.address.isIPv4)
  }
  public var destination: SocketAddress {
    unsafe packet.pointee.destination.socketAddress(isIPv6: !packet.pointee.source.address.isIPv4)
  }
  /// Bytes of data, without headers.
  public var count: Int { unsafe Int(packet.pointee.count) }
  /// Of TCP: the numbers as they are on the wire, and the control bits (RFC 9293, section 3.1).
  public var sequence: UInt32 { unsafe packet.pointee.sequence }
  public var acknowledgement: UInt32 { unsafe packet.pointee.acknowledgement }
  public var window: UInt16 { unsafe packet.pointee.window }
  public var flags: UInt8 { unsafe packet.pointee.flags.rawValue }
  /// Whether a segment carries something that its sender has sent before.
  public var isRetransmission: Bool { unsafe packet.pointee.isRetransmission }

  /// The data.
  public func withPayload<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    unsafe body(UnsafeRawBufferPointer(start: packet.pointee.payload, count: count))
  }

  /// The packet as it is on the wire, from the header of IP on, with its checksums.
  public var bytes: [UInt8] { unsafe WireFormat.bytes(of: packet) }
}
