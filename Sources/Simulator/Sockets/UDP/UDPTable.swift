import Glibc

/// The UDP sockets of a node, by local port.
struct UDPTable {
  private var sockets: [UInt16: [UDPSocket]] = [:]
  private var nextPort: UInt16 = 32_768

  /// Finds the socket that fits a packet best: connected to its sender, then bound to its very
  /// address, then to any. Source: udp(7), and the scores of Linux's udp4_lib_lookup.
  func find(_ packet: PacketPointer) -> UDPSocket? {
    guard let bound = unsafe sockets[packet.pointee.destination.port] else { return nil }
    var best: UDPSocket?
    var bestScore = 0
    for socket in bound {
      let score = unsafe socket.score(packet)
      if score > bestScore {
        best = socket
        bestScore = score
      }
    }
    return best
  }

  /// - Returns: 0 or `-EADDRINUSE`.
  mutating func bind(_ socket: UDPSocket, to local: Endpoint) -> Int32 {
    var local = local
    if local.port == 0 {
      guard let port = freePort() else { return -EADDRINUSE }
      local.port = port
    } else if let others = sockets[local.port],
      others.contains(where: { $0.conflicts(with: local, of: socket) })
    {
      return -EADDRINUSE
    }
    socket.local = local
    sockets[local.port, default: []].append(socket)
    return 0
  }

  mutating func remove(_ socket: UDPSocket) {
    sockets[socket.local.port]?.removeAll { $0 === socket }
    if sockets[socket.local.port]?.isEmpty == true { sockets[socket.local.port] = nil }
  }

  /// Ephemeral ports count up from 32,768 to 60,999, and begin again.
  private mutating func freePort() -> UInt16? {
    for _ in 32_768...60_999 {
      let port = nextPort
      nextPort = port == 60_999 ? 32_768 : port + 1
      if sockets[port] == nil { return port }
    }
    return nil
  }

  func arrive(_ packet: PacketPointer, at node: Node) {
    guard let socket = unsafe find(packet) else {
      return unsafe node.world.network.packets.give(packet)
    }
    unsafe socket.arrive(packet)
  }
}
