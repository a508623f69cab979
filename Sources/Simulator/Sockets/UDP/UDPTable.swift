import Glibc

/// The UDP sockets of a node, by local port.
final class UDPTable {
  @safe @exclusivity(unchecked) private var sockets: [UInt16: [UDPSocket]] = [:]
  @safe @exclusivity(unchecked) private var ephemeral = EphemeralPorts()

  /// Finds the socket that fits a packet best: connected to its sender, then bound to its very
  /// address, then to any; of equals, the one that was bound last. Source: udp(7).
  @inline(__always)
  func find(_ packet: PacketPointer) -> UDPSocket? {
    guard let bound = unsafe sockets[packet.pointee.destination.port] else { return nil }
    if bound.count == 1 { return unsafe bound[0].score(packet) > 0 ? bound[0] : nil }
    var best: UDPSocket?
    var bestScore = 0
    for socket in bound {
      let score = unsafe socket.score(packet)
      if score > 0, score >= bestScore {
        best = socket
        bestScore = score
      }
    }
    return best
  }

  /// - Returns: 0 or `-EADDRINUSE`; without a port, `-EAGAIN` when all are taken.
  func bind(_ socket: UDPSocket, to local: Endpoint) -> Int32 {
    var local = local
    if local.port == 0 {
      let taken = sockets
      guard let port = ephemeral.take(where: { taken[$0] == nil }) else { return -EAGAIN }
      local.port = port
    } else if let others = sockets[local.port] {
      for other in others where other.overlaps(socket, at: local.address) {
        guard other.shares(with: socket) else { return -EADDRINUSE }
      }
    }
    socket.local = local
    sockets[local.port, default: []].append(socket)
    return 0
  }

  func remove(_ socket: UDPSocket) {
    sockets[socket.local.port]?.removeAll { $0 === socket }
    if sockets[socket.local.port]?.isEmpty == true { sockets[socket.local.port] = nil }
  }

  /// An ICMP message says that nobody listens where a datagram of a socket went.
  func refused(_ packet: PacketPointer) {
    guard let bound = unsafe sockets[packet.pointee.destination.port] else { return }
    for socket in bound { unsafe socket.refused(by: packet.pointee.source) }
  }

  func removeAll() { sockets = [:] }
}
