import Glibc
import Reactor

/// A UDP socket. Source: udp(7), ip(7).
final class UDPSocket: InternetSocket {
  /// The longest datagram: 65,535 bytes less the headers of IPv4 and UDP.
  static let longest = 65_507
  /// SO_RCVBUF and SO_SNDBUF as Linux has them by default, and the least, in bytes.
  private static let defaultRoom: Int32 = 212_992
  private static let leastRoom: Int32 = 2_304

  /// Port 0: not connected.
  @safe @exclusivity(unchecked) private var remote = Endpoint.none
  @safe @exclusivity(unchecked) private var queue = PacketQueue()
  /// Bytes that the queue takes of the receive buffer, with what the kernel keeps of each packet.
  @safe @exclusivity(unchecked) private var queued = 0
  @safe @exclusivity(unchecked) private var room = UDPSocket.defaultRoom
  @safe @exclusivity(unchecked) private var sendRoom = UDPSocket.defaultRoom
  @safe @exclusivity(unchecked) private var isReadShut = false
  @safe @exclusivity(unchecked) private var isWriteShut = false

  override var kind: DescriptorKind { .datagramSocket }
  override var type: Int32 { SocketType.datagram }
  override var protocolNumber: Int32 { Int32(IPPROTO_UDP) }
  override var sendBuffer: Int32 { sendRoom }
  override var receiveBuffer: Int32 { room }

  override func setBuffer(send: Bool, _ value: Int32) {
    let doubled = max(min(value, Self.defaultRoom), Self.leastRoom / 2) * 2
    if send { sendRoom = doubled } else { room = doubled }
  }

  override var events: PollEvents {
    var events: PollEvents = .writable
    if !queue.isEmpty { events.insert(.readable) }
    if isReadShut { events.formUnion([.readable, .peerClosed]) }
    if isReadShut, isWriteShut { events.insert(.hangUp) }
    if error != 0 { events.formUnion([.error, .readable]) }
    return events
  }

  // MARK: Names

  /// How well a packet fits; 0: not at all.
  @inline(__always)
  func score(_ packet: PacketPointer) -> Int {
    guard unsafe accepts(packet.pointee.destination.address) else { return 0 }
    let score = local.address.isAny ? 1 : 3
    if remote.port == 0 { return score }
    return unsafe packet.pointee.source == remote ? score + 4 : 0
  }

  /// Whether both may be bound to the same.
  func shares(with other: UDPSocket) -> Bool {
    options.reusesAddress && other.options.reusesAddress
      || options.reusesPort && other.options.reusesPort
  }

  override func bind(_ address: borrowing SocketAddress) -> Int32 {
    switch endpoint(address) {
    case .failure(let error): return -error.code
    case .success(let wanted):
      guard !isBound else { return -EINVAL }
      guard wanted.address.isAny || node.owns(wanted.address) else { return -EADDRNOTAVAIL }
      return node.udp.bind(self, to: wanted)
    }
  }

  private func bindToAny() -> Int32 { isBound ? 0 : node.udp.bind(self, to: local) }

  /// Connects to a peer, from which alone datagrams come then; the family 0 undoes it.
  override func connect(_ address: borrowing SocketAddress) -> Int32 {
    if address.family == AF_UNSPEC {
      remote = .none
      return 0
    }
    switch endpoint(address) {
    case .failure(let error): return -error.code
    case .success(let wanted):
      let peer = target(wanted)
      guard node.hasRoute(to: peer.address) else { return -ENETUNREACH }
      let result = bindToAny()
      if result < 0 { return result }
      remote = peer
      if local.address.isAny { local.address = node.source(towards: peer.address) }
      return 0
    }
  }

  override func peerAddress(_ address: inout SocketAddress) -> Int32 {
    guard remote.port != 0 else { return -ENOTCONN }
    address = remote.socketAddress(isIPv6: isIPv6)
    return 0
  }

  /// Ends receiving or sending of a connected socket; `-ENOTCONN` of another, which it does too.
  override func shutdown(how: Int32) -> Int32 {
    guard (0...2).contains(how) else { return -EINVAL }
    if how != 1 { isReadShut = true }
    if how != 0 { isWriteShut = true }
    signal([.readable, .peerClosed, .hangUp])
    return remote.port == 0 ? -ENOTCONN : 0
  }

  override func close() {
    if isBound { node.udp.remove(self) }
    while let packet = unsafe queue.takeFirst() { unsafe node.network.packets.give(packet) }
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
    switch endpoint(address) {
    case .failure(let error): return Int(-error.code)
    case .success(let wanted):
      guard wanted.port != 0 else { return Int(-EINVAL) }
      return unsafe transmit(bytes, to: target(wanted))
    }
  }

  private func transmit(_ bytes: UnsafeRawBufferPointer, to peer: Endpoint) -> Int {
    guard bytes.count <= Self.longest else { return Int(-EMSGSIZE) }
    if isWriteShut { return Int(-EPIPE) }
    if let error = takeError() { return Int(-error) }
    guard let route = node.route(to: peer.address) else {
      return Int(peer.address.isBroadcast && !options.broadcasts ? -EACCES : -ENETUNREACH)
    }
    let result = bindToAny()
    if result < 0 { return Int(result) }
    var source = local
    if source.address.isAny { source.address = node.source(towards: peer.address) }
    let packet = unsafe node.network.packets.make(.udp, from: source, to: peer, count: bytes.count)
    if let payload = unsafe packet.pointee.payload, let start = bytes.baseAddress {
      unsafe payload.copyMemory(from: start, byteCount: bytes.count)
    }
    unsafe node.network.send(packet, from: node, to: route)
    return bytes.count
  }

  /// What the kernel counts for a packet: its own record, and a buffer of a power of two, or of
  /// pages. As Linux 6.18 does.
  private static func footprint(_ packet: PacketPointer) -> Int {
    let size = unsafe Int(packet.pointee.count) + 384
    if size <= 576 { return 832 }
    if size > 32_768 { return 256 + (size + 4_095) & ~4_095 }
    return 256 + (1 << (Int.bitWidth - (size - 1).leadingZeroBitCount))
  }

  /// Takes a packet, unless the receive buffer is full: then it is dropped.
  func arrive(_ packet: PacketPointer) {
    let size = unsafe Self.footprint(packet)
    guard queued + size <= Int(room) else {
      return unsafe node.network.drop(packet, .receiveBuffer, at: node)
    }
    queued += size
    unsafe queue.append(packet)
    signal(.readable)
  }

  /// Nobody listens where this socket sent something: an error for one that is connected.
  func refused(by peer: Endpoint) {
    guard remote == peer else { return }
    error = ECONNREFUSED
    signal([.error, .readable, .writable])
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
    if let error = takeError() { return Int(-error) }
    let peeks = flags & Int32(MSG_PEEK) != 0
    guard let packet = unsafe peeks ? queue.first : queue.takeFirst() else {
      return isReadShut ? 0 : Int(-EAGAIN)
    }
    let count = unsafe Int(packet.pointee.count)
    let taken = min(count, buffer.count)
    if taken > 0, let payload = unsafe packet.pointee.payload, let room = buffer.baseAddress {
      unsafe room.copyMemory(from: payload, byteCount: taken)
    }
    if withSender {
      message.address = unsafe packet.pointee.source.socketAddress(isIPv6: isIPv6)
      if taken < count { message.flags |= Int32(MSG_TRUNC) }
    }
    if !peeks {
      unsafe queued -= Self.footprint(packet)
      unsafe node.network.packets.give(packet)
    }
    return flags & Int32(MSG_TRUNC) != 0 ? count : taken
  }
}
