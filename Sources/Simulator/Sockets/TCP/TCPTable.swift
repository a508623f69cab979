import Glibc

/// The TCP of a node: its connections by their two ends, and its ports.
final class TCPTable {
  /// Names a connection of this node.
  struct Flow: Hashable {
    let local: Endpoint
    let remote: Endpoint

    func hash(into hasher: inout Hasher) {
      hasher.combine(
        remote.address.low ^ remote.address.high &* 31 ^ local.address.low &* 0x9E37_79B9
          ^ UInt64(local.port) << 48 ^ UInt64(remote.port) << 32)
    }
  }

  /// Who has a port.
  struct Port {
    /// Sockets that were bound to it.
    var bound: [TCPSocket] = []
    /// Connections on it, and those of them that let nobody else be bound to it.
    var connections = 0
    var exclusive = 0

    var isFree: Bool { bound.isEmpty && connections == 0 }
  }

  @safe @exclusivity(unchecked) private var connections: [Flow: TCPConnection] = [:]
  /// The same, in no order, each at its `tableIndex`.
  @safe @exclusivity(unchecked) private var list: [TCPConnection] = []
  @safe @exclusivity(unchecked) private var ports: [UInt16: Port] = [:]
  @safe @exclusivity(unchecked) private var ephemeral = EphemeralPorts()

  // MARK: Connections

  /// - Returns: false when there is one with the same ends.
  func add(_ connection: TCPConnection) -> Bool {
    let flow = Flow(local: connection.local, remote: connection.remote)
    guard connections[flow] == nil else { return false }
    connections[flow] = connection
    connection.tableIndex = list.count
    list.append(connection)
    ports[connection.local.port, default: Port()].connections += 1
    if !connection.sharesPort { ports[connection.local.port]?.exclusive += 1 }
    return true
  }

  func remove(_ connection: TCPConnection) {
    let flow = Flow(local: connection.local, remote: connection.remote)
    guard connections[flow] === connection else { return }
    connections[flow] = nil
    let last = list.removeLast()
    if last !== connection {
      last.tableIndex = connection.tableIndex
      list[connection.tableIndex] = last
    }
    let port = connection.local.port
    ports[port]?.connections -= 1
    if !connection.sharesPort { ports[port]?.exclusive -= 1 }
    if ports[port]?.isFree == true { ports[port] = nil }
  }

  func connection(_ local: Endpoint, _ remote: Endpoint) -> TCPConnection? {
    connections[Flow(local: local, remote: remote)]
  }

  /// Connections that are there, TIME_WAIT included.
  var count: Int { connections.count }

  /// The first sequence number of a connection, as a position: counts up with time, from a place
  /// that the two ends decide. Source: RFC 6528.
  func firstSequence(_ local: Endpoint, _ remote: Endpoint, at node: Node) -> UInt64 {
    let stream = RandomStream(
      seed: node.world.seed, .sequenceNumber,
      from: local.address.low &* 31 ^ local.address.high ^ UInt64(local.port) << 48,
      to: remote.address.low &* 31 ^ remote.address.high ^ UInt64(remote.port) << 48)
    let number = UInt32(truncatingIfNeeded: stream.at(0) &+ node.present >> 6)
    return UInt64(number) + 1 << 32
  }

  // MARK: Ports

  /// - Returns: 0 or `-EADDRINUSE`.
  func bind(_ socket: TCPSocket, to local: Endpoint) -> Int32 {
    var local = local
    if local.port == 0 {
      let ports = ports
      guard let port = ephemeral.take(where: { ports[$0] == nil }) else { return -EADDRINUSE }
      local.port = port
    } else if let port = ports[local.port] {
      if port.exclusive > 0 || port.connections > 0 && !socket.options.reusesAddress {
        return -EADDRINUSE
      }
      for other in port.bound where other.overlaps(socket, at: local.address) {
        guard other.shares(with: socket) else { return -EADDRINUSE }
      }
    }
    socket.local = local
    ports[local.port, default: Port()].bound.append(socket)
    return 0
  }

  /// Whether a socket that is bound may listen: no other one that listens is meant as well.
  func mayListen(_ socket: TCPSocket) -> Bool {
    guard let port = ports[socket.local.port] else { return true }
    return !port.bound.contains {
      $0 !== socket && $0.isListening && $0.overlaps(socket, at: socket.local.address)
        && !($0.options.reusesPort && socket.options.reusesPort)
    }
  }

  func unbind(_ socket: TCPSocket) {
    ports[socket.local.port]?.bound.removeAll { $0 === socket }
    if ports[socket.local.port]?.isFree == true { ports[socket.local.port] = nil }
  }

  /// A local port towards `remote` from which there is no connection yet.
  func port(from address: InternetAddress, to remote: Endpoint) -> UInt16? {
    let (ports, connections) = (ports, connections)
    return ephemeral.take { port in
      ports[port]?.bound.isEmpty ?? true
        && connections[Flow(local: Endpoint(address, port), remote: remote)] == nil
    }
  }

  // MARK: Arrival

  func arrive(_ packet: PacketPointer, at node: Node) {
    let (local, remote) = unsafe (packet.pointee.destination, packet.pointee.source)
    if let connection = connections[Flow(local: local, remote: remote)] {
      return unsafe connection.arrive(packet)
    }
    if let listener = listener(at: local, for: remote) {
      return unsafe listener.arrive(packet)
    }
    unsafe refuse(packet, at: node)
    unsafe node.network.packets.give(packet)
  }

  /// Finds the listener of a destination: bound to its very address, or to any; of several that
  /// share the port, the one that the sender's address decides.
  private func listener(at local: Endpoint, for remote: Endpoint) -> TCPSocket? {
    guard let bound = ports[local.port]?.bound else { return nil }
    let fitting = bound.filter { $0.isListening && $0.accepts(local.address) }
    if fitting.count <= 1 { return fitting.first }
    let exact = fitting.filter { !$0.local.address.isAny }
    let candidates = exact.isEmpty ? fitting : exact
    let spread = RandomStream(
      seed: remote.address.low, .port, from: UInt64(remote.port), to: UInt64(local.port))
    return candidates[Int(spread.at(0) >> 32) % candidates.count]
  }

  /// Answers a segment that nothing here is ready for with a reset. The segment stays the
  /// caller's. Source: RFC 9293, section 3.10.7.1.
  func refuse(_ packet: PacketPointer, at node: Node) {
    let flags = unsafe packet.pointee.flags
    guard !flags.contains(.reset),
      let route = unsafe node.route(to: packet.pointee.source.address)
    else { return }
    let answer = unsafe node.network.packets.make(
      .tcp, from: packet.pointee.destination, to: packet.pointee.source, count: 0)
    if flags.contains(.acknowledge) {
      unsafe answer.pointee.sequence = unsafe packet.pointee.acknowledgement
      unsafe answer.pointee.flags = .reset
    } else {
      var length = unsafe packet.pointee.count
      if flags.contains(.syn) { length += 1 }
      if flags.contains(.fin) { length += 1 }
      unsafe answer.pointee.acknowledgement = unsafe packet.pointee.sequence &+ length
      unsafe answer.pointee.flags = [.reset, .acknowledge]
    }
    node.counters.resets &+= 1
    unsafe node.network.send(answer, from: node, to: route)
  }

  /// Forgets everything, as a computer does that loses its power.
  func removeAll() {
    while let last = list.last { last.vanish() }
    connections = [:]
    ports = [:]
  }
}
