/// All that lies between the nodes: addresses, links, and the packets on them.
@safe
final class Network {
  @safe @exclusivity(unchecked) var packets = PacketPool()
  /// By address: the index of its node.
  @safe @exclusivity(unchecked) private var owners: [InternetAddress: UInt32] = [:]
  /// Nanoseconds that a packet takes between two nodes.
  @safe @exclusivity(unchecked) var delay: UInt64 = 100_000
  @safe @exclusivity(unchecked) private var lastID: UInt64 = 0

  deinit { packets.deallocate() }

  func claim(_ address: InternetAddress, for node: UInt32) { owners[address] = node }

  func owner(of address: InternetAddress) -> UInt32? { owners[address] }

  /// Sends a packet off; it is the network's from now on.
  func send(_ packet: PacketPointer, from node: Node, to route: Route) {
    lastID &+= 1
    unsafe packet.pointee.id = lastID
    node.counters.sent &+= 1
    switch route {
    case .loopback: unsafe node.loop(packet)
    case .node(let target):
      unsafe packet.pointee.node = target
      node.world.push(at: node.present &+ delay, .arrival, UInt(bitPattern: packet))
    }
  }

  /// Ends the way of a packet.
  func drop(_ packet: PacketPointer, _ reason: DropReason, at node: Node) {
    unsafe note(packet, reason, at: node)
    unsafe packets.give(packet)
  }

  /// Tells that a packet goes no further, which stays the caller's.
  func note(_ packet: PacketPointer, _ reason: DropReason, at node: Node) {}
}
