import Glibc
import Reactor

/// A UDP socket. Source: udp(7), ip(7).
final class UDPSocket: OpenFile {
  /// The longest datagram: 65,535 bytes less the headers of IPv4 and UDP.
  static let longest = 65_507
  /// SO_RCVBUF as Linux has it by default, in bytes.
  static let defaultRoom = 212_992

  let isIPv6: Bool
  /// Port 0: not bound.
  @safe @exclusivity(unchecked) var local: Endpoint
  /// Port 0: not connected.
  @safe @exclusivity(unchecked) private var remote = Endpoint.none
  @safe @exclusivity(unchecked) private var queue = PacketQueue()
  /// Bytes that the queue takes of the receive buffer, with what the kernel keeps of each packet.
  @safe @exclusivity(unchecked) private var queued = 0
  @safe @exclusivity(unchecked) private var room = UDPSocket.defaultRoom

  init(node: Node, isIPv6: Bool) {
    self.isIPv6 = isIPv6
    local = Endpoint(isIPv6 ? .anyIPv6 : .anyIPv4, 0)
    super.init(node: node)
  }

  override var kind: DescriptorKind { .datagramSocket }

  override var events: PollEvents { queue.isEmpty ? .writable : [.readable, .writable] }

  // MARK: Names

  /// How well a packet fits; 0: not at all.
  func score(_ packet: PacketPointer) -> Int {
    var score = 1
    if !local.address.isAny {
      guard unsafe packet.pointee.destination.address == local.address else { return 0 }
      score += 2
    } else if !isIPv6, unsafe !packet.pointee.destination.address.isIPv4 {
      return 0
    }
    if remote.port != 0 {
      guard unsafe packet.pointee.source == remote else { return 0 }
      score += 4
    }
    return score
  }

  func conflicts(with other: Endpoint, of socket: UDPSocket) -> Bool {
    local.address == other.address || local.address.isAny || other.address.isAny
  }

  override func bind(_ address: borrowing SocketAddress) -> Int32 {
    guard local.port == 0, let wanted = Endpoint(address) else { return -EINVAL }
    return node.udp.bind(self, to: wanted)
  }

  override func connect(_ address: borrowing SocketAddress) -> Int32 {
    guard let peer = Endpoint(address) else { return -EINVAL }
    if local.port == 0 {
      let result = node.udp.bind(self, to: local)
      if result < 0 { return result }
    }
    remote = peer
    local.address = node.source(towards: peer.address)
    return 0
  }

  override func localAddress(_ address: inout SocketAddress) -> Int32 {
    address = local.socketAddress(isIPv6: isIPv6)
    return 0
  }

  override func peerAddress(_ address: inout SocketAddress) -> Int32 {
    guard remote.port != 0 else { return -ENOTCONN }
    address = remote.socketAddress(isIPv6: isIPv6)
    return 0
  }

  override func close() {
    if local.port != 0 { node.udp.remove(self) }
    while let packet = unsafe queue.takeFirst() {
      unsafe node.world.network.packets.give(packet)
    }
  }

  // MARK: Transfers

  override func send(_ bytes: UnsafeRawBufferPointer, flags: Int32) -> Int {
    guard remote.port != 0 else { return Int(-EDESTADDRREQ) }
    return unsafe transmit(bytes, to: remote)
  }

  override func write(_ bytes: UnsafeRawBufferPointer) -> Int { unsafe send(bytes, flags: 0) }

  override func sendMessage(
    _ bytes: UnsafeRawBufferPointer, flags: Int32, _ message: borrowing Message
  ) -> Int {
    guard let address = message.address else { return unsafe send(bytes, flags: flags) }
    guard let peer = Endpoint(address), peer.port != 0 else { return Int(-EINVAL) }
    return unsafe transmit(bytes, to: peer)
  }

  private func transmit(_ bytes: UnsafeRawBufferPointer, to peer: Endpoint) -> Int {
    guard bytes.count <= Self.longest else { return Int(-EMSGSIZE) }
    if local.port == 0 {
      let result = node.udp.bind(self, to: local)
      if result < 0 { return Int(result) }
    }
    let network = node.world.network
    var source = local
    if source.address.isAny { source.address = node.source(towards: peer.address) }
    let packet = unsafe network.packets.make(.udp, from: source, to: peer, count: bytes.count)
    if let payload = unsafe packet.pointee.payload, let start = bytes.baseAddress {
      unsafe payload.copyMemory(from: start, byteCount: bytes.count)
    }
    unsafe network.send(packet, from: node)
    return bytes.count
  }

  /// What the kernel counts for a packet: its own records, and a buffer of a power of two.
  private static func footprint(_ packet: PacketPointer) -> Int {
    let size = unsafe Int(packet.pointee.count) + 384
    return 256 + (1 << (Int.bitWidth - (size - 1).leadingZeroBitCount))
  }

  func arrive(_ packet: PacketPointer) {
    let size = unsafe Self.footprint(packet)
    guard queued + size <= room else {
      return unsafe node.world.network.packets.give(packet)
    }
    queued += size
    unsafe queue.append(packet)
    signal(.readable)
  }

  override func receive(_ buffer: UnsafeMutableRawBufferPointer, flags: Int32) -> Int {
    var message = Message()
    return unsafe take(buffer, flags, &message, withSender: false)
  }

  override func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe receive(buffer, flags: 0)
  }

  override func receiveMessage(
    _ buffer: UnsafeMutableRawBufferPointer, flags: Int32, _ message: inout Message
  ) -> Int {
    unsafe take(buffer, flags, &message, withSender: true)
  }

  private func take(
    _ buffer: UnsafeMutableRawBufferPointer, _ flags: Int32, _ message: inout Message,
    withSender: Bool
  ) -> Int {
    guard let packet = unsafe queue.takeFirst() else { return Int(-EAGAIN) }
    unsafe queued -= Self.footprint(packet)
    let count = unsafe Int(packet.pointee.count)
    let taken = min(count, buffer.count)
    if taken > 0, let payload = unsafe packet.pointee.payload, let room = buffer.baseAddress {
      unsafe room.copyMemory(from: payload, byteCount: taken)
    }
    if withSender {
      message.address = unsafe packet.pointee.source.socketAddress(isIPv6: isIPv6)
      if taken < count { message.flags |= Int32(MSG_TRUNC) }
    }
    unsafe node.world.network.packets.give(packet)
    return taken
  }
}
