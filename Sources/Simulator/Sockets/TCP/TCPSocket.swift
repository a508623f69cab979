import Glibc
import Reactor

/// A TCP socket: new, listening, or one end of a connection. Source: tcp(7).
final class TCPSocket: InternetSocket {
  @safe @exclusivity(unchecked) private(set) var connection: TCPConnection?
  @safe @exclusivity(unchecked) private var queue: AcceptQueue?
  @safe @exclusivity(unchecked) private var tcp = TCPOptions()
  /// The port was asked for, or listened on, and is this socket's.
  @safe @exclusivity(unchecked) private var hasPort = false
  /// A connect was begun, and its end not yet told.
  @safe @exclusivity(unchecked) private var isConnecting = false

  var isListening: Bool { queue != nil }

  override var kind: DescriptorKind { isListening ? .listeningSocket : .streamSocket }

  override var events: PollEvents {
    if let queue { return queue.isEmpty ? [] : .readable }
    guard let connection else {
      return error == 0 ? [.writable, .hangUp] : [.writable, .hangUp, .error]
    }
    return connection.events
  }

  // MARK: Names

  /// Whether both may be bound to the same.
  func shares(with other: TCPSocket) -> Bool {
    options.reusesPort && other.options.reusesPort
      || options.reusesAddress && other.options.reusesAddress && !isListening
  }

  override func bind(_ address: borrowing SocketAddress) -> Int32 {
    switch endpoint(address) {
    case .failure(let error): return -error.code
    case .success(let wanted):
      guard !isBound, connection == nil else { return -EINVAL }
      guard wanted.address.isAny || node.owns(wanted.address) else { return -EADDRNOTAVAIL }
      return take(wanted)
    }
  }

  private func take(_ endpoint: Endpoint) -> Int32 {
    let result = node.tcp.bind(self, to: endpoint)
    if result == 0 { hasPort = true }
    return result
  }

  private func releasePort() {
    if hasPort { node.tcp.unbind(self) }
    hasPort = false
  }

  override func localAddress(_ address: inout SocketAddress) -> Int32 {
    address = (connection?.local ?? local).socketAddress(isIPv6: isIPv6)
    return 0
  }

  override func peerAddress(_ address: inout SocketAddress) -> Int32 {
    guard let connection, connection.isConnected, !connection.isOver else { return -ENOTCONN }
    address = connection.remote.socketAddress(isIPv6: isIPv6)
    return 0
  }

  // MARK: Listening

  override func listen(backlog: Int32) -> Int32 {
    guard connection == nil else { return -EINVAL }
    let backlog = backlog < 0 ? TCPLimits.mostBacklog : min(backlog, TCPLimits.mostBacklog)
    if var queue {
      queue.backlog = Int(backlog)
      self.queue = queue
      return 0
    }
    if !isBound {
      let result = take(local)
      if result < 0 { return result }
    }
    guard node.tcp.mayListen(self) else { return -EADDRINUSE }
    queue = AcceptQueue(backlog: Int(backlog))
    return 0
  }

  /// Whether one more connection may wait to be accepted.
  var hasRoom: Bool { queue?.hasRoom ?? false }

  /// Takes a segment that no connection expects.
  func arrive(_ packet: PacketPointer) {
    defer { unsafe node.network.packets.give(packet) }
    let flags = unsafe packet.pointee.flags
    if flags.contains(.reset) { return }
    if flags.contains(.acknowledge) { return unsafe node.tcp.refuse(packet, at: node) }
    guard flags.contains(.syn) else { return }
    guard let queue, queue.hasRoom, queue.halfOpen.count < TCPLimits.halfOpen else {
      return unsafe node.network.note(packet, .backlog, at: node)
    }
    unsafe begin(packet)
  }

  private func begin(_ packet: PacketPointer) {
    let (here, there) = unsafe (packet.pointee.destination, packet.pointee.source)
    guard let route = node.route(to: there.address) else { return }
    let connection = TCPConnection(
      node: node, local: here, remote: there, route: route, state: .synReceived, options: tcp)
    connection.sharesPort = options.reusesAddress
    guard connection.start() else { return }
    connection.listener = self
    queue?.halfOpen.append(connection)
    unsafe connection.takeSYN(packet)
    connection.sendSYN()
  }

  /// A connection of this listener is established.
  func complete(_ connection: TCPConnection) {
    forget(connection)
    queue?.complete.append(connection)
    signal(.readable)
  }

  /// A half-open connection came to nothing.
  func forget(_ connection: TCPConnection) {
    queue?.halfOpen.removeAll { $0 === connection }
  }

  override func accept(_ peer: inout SocketAddress, _ result: inout Int32) -> OpenFile? {
    guard isListening else {
      result = -EINVAL
      return nil
    }
    guard let connection = queue?.take() else {
      result = -EAGAIN
      return nil
    }
    let socket = TCPSocket(node: node, isIPv6: isIPv6)
    socket.options = options
    socket.tcp = tcp
    socket.local = connection.local
    socket.connection = connection
    connection.listener = nil
    connection.socket = socket
    peer = connection.remote.socketAddress(isIPv6: isIPv6)
    return socket
  }

  private func stopListening() {
    guard let queue else { return }
    self.queue = nil
    for connection in queue.halfOpen { connection.discard(resets: false) }
    for connection in queue.waiting { connection.discard(resets: true) }
    releasePort()
  }

  // MARK: Connecting

  override func connect(_ address: borrowing SocketAddress) -> Int32 {
    if isListening { return -EISCONN }
    if let connection { return progress(of: connection) }
    if address.family == AF_UNSPEC { return 0 }
    switch endpoint(address) {
    case .failure(let error): return -error.code
    case .success(let wanted): return begin(to: target(wanted))
    }
  }

  private func begin(to peer: Endpoint) -> Int32 {
    guard let route = node.route(to: peer.address) else { return -ENETUNREACH }
    var from = local
    if from.address.isAny { from.address = node.source(towards: peer.address) }
    if from.port == 0 {
      guard let port = node.tcp.port(from: from.address, to: peer) else { return -EADDRNOTAVAIL }
      from.port = port
    }
    let connection = TCPConnection(
      node: node, local: from, remote: peer, route: route, state: .synSent, options: tcp)
    connection.sharesPort = options.reusesAddress
    guard connection.start() else { return -EADDRNOTAVAIL }
    connection.socket = self
    self.connection = connection
    isConnecting = true
    connection.sendSYN()
    return -EINPROGRESS
  }

  /// What another call of connect answers.
  private func progress(of connection: TCPConnection) -> Int32 {
    if connection.state == .synSent || connection.state == .synReceived { return -EALREADY }
    guard isConnecting else { return -EISCONN }
    isConnecting = false
    guard connection.state == .closed, !connection.wasEstablished else { return 0 }
    let error = connection.takeError() ?? ECONNABORTED
    disconnect()
    return -error
  }

  /// Makes a failed socket a new one.
  private func disconnect() {
    connection = nil
    if !hasPort { local = Endpoint(isIPv6 ? .anyIPv6 : .anyIPv4, 0) }
  }

  // MARK: Transfers

  override func send(_ bytes: UnsafeRawBufferPointer, flags: Int32) -> Int {
    guard let connection else { return Int(-EPIPE) }
    return unsafe connection.send(bytes, holdsBack: flags & Int32(MSG_MORE) != 0)
  }

  override func receive(_ buffer: UnsafeMutableRawBufferPointer, flags: Int32) -> Int {
    guard let connection, connection.state != .synSent || connection.error != 0 else {
      return Int(connection == nil ? -ENOTCONN : -EAGAIN)
    }
    return unsafe connection.receive(buffer, peeks: flags & Int32(MSG_PEEK) != 0)
  }

  override func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe receive(buffer, flags: 0)
  }

  override func write(_ bytes: UnsafeRawBufferPointer) -> Int { unsafe send(bytes, flags: 0) }

  override func receiveMessage(
    _ buffer: UnsafeMutableRawBufferPointer, flags: Int32, _ message: inout Message
  ) -> Int { unsafe receive(buffer, flags: flags) }

  /// A connected stream ignores the address. Source: send(2).
  override func sendMessage(
    _ bytes: UnsafeRawBufferPointer, flags: Int32, _ message: borrowing Message
  ) -> Int { unsafe send(bytes, flags: flags) }

  // MARK: Ending

  override func shutdown(how: Int32) -> Int32 {
    guard (0...2).contains(how) else { return -EINVAL }
    if isListening {
      if how != 1 {
        stopListening()
        signal(.hangUp)
      }
      return 0
    }
    guard let connection, !connection.isOver else { return -ENOTCONN }
    if connection.state == .synSent {
      connection.finish()
      disconnect()
      signal([.hangUp, .writable])
      return 0
    }
    if how != 1 {
      connection.isReadShut = true
      signal([.readable, .peerClosed, .hangUp])
    }
    if how != 0 { connection.shutdownWrite() }
    return 0
  }

  override func close() {
    stopListening()
    connection?.socketClosed(resets: options.linger == 0)
    connection = nil
    releasePort()
  }

  override func vanish() {
    connection = nil
    queue = nil
  }

  // MARK: Options

  override func takeError() -> Int32? { connection?.takeError() ?? super.takeError() }

  override var sendBuffer: Int32 { Int32(clamping: tcp.sendRoom * 2) }
  override var receiveBuffer: Int32 { Int32(clamping: tcp.receiveRoom * 2) }

  override func setBuffer(send: Bool, _ value: Int32) {
    let room = min(max(Int(value), TCPLimits.leastRoom / 2), TCPLimits.mostRoom)
    if send { tcp.sendRoom = room } else { tcp.receiveRoom = room }
    connection?.apply(tcp)
  }

  override func plainOption(level: Int32, name: Int32) -> Int32? {
    guard level == Int32(IPPROTO_TCP) else {
      return super.plainOption(level: level, name: name)
    }
    return tcp.read(name, segment: connection?.segment)
  }

  override func setPlainOption(level: Int32, name: Int32, _ value: Int32) -> Int32 {
    let wasCorked = tcp.isCorked
    let result =
      level == Int32(IPPROTO_TCP)
      ? tcp.set(name, value) : super.setPlainOption(level: level, name: name, value)
    guard result == 0 else { return result }
    tcp.keepsAlive = options.keepsAlive
    guard let connection else { return 0 }
    connection.apply(tcp)
    connection.setKeepAlive()
    if wasCorked, !tcp.isCorked || tcp.noDelay { connection.uncork() }
    return 0
  }
}
