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
  func send(_ packet: PacketPointer, from node: Node) {
    lastID &+= 1
    unsafe packet.pointee.id = lastID
    if unsafe packet.pointee.destination.address.isLoopback
      || node.owns(packet.pointee.destination.address)
    {
      return unsafe node.loop(packet)
    }
    guard let target = unsafe owners[packet.pointee.destination.address] else {
      return unsafe packets.give(packet)
    }
    unsafe packet.pointee.node = target
    node.world.push(at: node.world.now &+ node.spent &+ delay, .arrival, UInt(bitPattern: packet))
  }
}
