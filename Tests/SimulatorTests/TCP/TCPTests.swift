import Glibc
import Reactor
import Simulator
import Testing

@Suite struct `TCP in a world` {
  let bench = Bench()
  let client: Process
  let server: Process

  init() {
    client = bench.node("client")
    server = bench.node("server")
  }

  /// A connection on port 80. Returns both ends' descriptors and the listener.
  func connected() throws -> (client: Int32, server: Int32, listener: Int32) {
    let listener = server.listener(80)
    var accepted: Int32 = -1
    server.program = { process in if accepted < 0 { accepted = process.accept(listener) } }
    let fd = client.connect(server.address(80))
    #expect(client.connectResult == -EINPROGRESS)
    bench.run(seconds: 0.01)
    try #require(accepted >= 0)
    server.program = { _ in }
    _ = (client.taken(fd), server.taken(accepted), server.taken(listener))
    return (fd, accepted, listener)
  }

  @Test func `a connect ends after one round trip`() throws {
    let listener = server.listener(80)
    let fd = client.connect(server.address(80))
    var end: UInt64 = 0
    client.program = { process in
      if end == 0, process.taken(fd).contains(.writable) { end = bench.world.now }
    }
    bench.run(seconds: 1)
    #expect(end == 200_000)
    #expect(client.kernel.connect(fd, server.address(80)) == 0)
    #expect(client.kernel.connect(fd, server.address(80)) == -EISCONN)
    #expect(client.peer(fd)?.description == "10.0.0.2:80")
    let accepted = server.accept(listener)
    #expect(server.peer(accepted)?.description == "10.0.0.1:32768")
    #expect(server.local(accepted).description == "10.0.0.2:80")
  }

  @Test func `a connect to a port where nobody listens is refused after one round trip`() {
    let fd = client.connect(server.address(80))
    var end: UInt64 = 0
    client.program = { process in
      if !process.taken(fd).isDisjoint(with: .error) { end = bench.world.now }
    }
    bench.run(seconds: 1)
    #expect(end == 200_000)
    #expect(client.error(fd) == ECONNREFUSED)
    #expect(client.error(fd) == 0)
  }

  @Test func `a connect to a node without power gives up after 127 seconds`() {
    server.node.powerOff()
    let fd = client.connect(server.address(80))
    bench.run(seconds: 126.9)
    #expect(client.error(fd) == 0 && client.kernel.connect(fd, server.address(80)) == -EALREADY)
    bench.run(seconds: 0.2)
    #expect(client.kernel.connect(fd, server.address(80)) == -ETIMEDOUT)
    #expect(client.node.counters.retransmissions == 6)
  }

  @Test func `data passes both ways, and an end in each`() throws {
    let (fd, peer, _) = try connected()
    #expect(client.send(fd, [1, 2, 3]) == 3)
    bench.run(seconds: 0.01)
    #expect(server.taken(peer).contains(.readable))
    #expect(server.receive(peer) == [1, 2, 3])
    #expect(server.receive(peer) == nil && server.receiveError == 0)
    #expect(client.kernel.shutdown(fd, how: 1) == 0)
    #expect(client.send(fd, [1]) == -Int(EPIPE))
    bench.run(seconds: 0.01)
    #expect(server.taken(peer).contains(.readClosed))
    #expect(server.receive(peer) == [])
    #expect(server.send(peer, [4]) == 1)
    bench.run(seconds: 0.01)
    #expect(client.receive(fd) == [4])
    #expect(server.kernel.close(peer) == 0)
    bench.run(seconds: 0.01)
    #expect(client.receive(fd) == [])
    #expect(client.kernel.close(fd) == 0)
  }

  @Test func `a write stops when both buffers are full, and goes on when there is room`() throws {
    let (fd, peer, _) = try connected()
    let bytes = [UInt8](repeating: 7, count: 100_000)
    var sent = 0
    while case let count = client.send(fd, bytes), count > 0 { sent += count }
    bench.run(seconds: 10)
    while case let count = client.send(fd, bytes), count > 0 { sent += count }
    #expect(sent == 131_072 + 64_240)
    _ = client.taken(fd)
    bench.run(seconds: 10)
    #expect(client.taken(fd) == [])
    var received = 0
    while let bytes = server.receive(peer) { received += bytes.count }
    #expect(received == 64_240)
    bench.run(seconds: 10)
    #expect(client.taken(fd).contains(.writable))
    while received < sent, let bytes = server.receive(peer) {
      received += bytes.count
      bench.run(seconds: 1)
    }
    #expect(received == sent)
  }

  @Test func `closing with unread data resets the connection`() throws {
    let (fd, peer, _) = try connected()
    _ = client.send(fd, [1])
    bench.run(seconds: 0.01)
    #expect(server.kernel.close(peer) == 0)
    bench.run(seconds: 0.01)
    #expect(client.taken(fd).isSuperset(of: [.error, .readClosed, .writeClosed]))
    #expect(client.receive(fd) == nil && client.receiveError == ECONNRESET)
    #expect(client.receive(fd) == [])
    #expect(client.send(fd, [1]) == -Int(EPIPE))
  }

  @Test func `what came before a reset can still be read`() throws {
    let (fd, peer, _) = try connected()
    _ = server.send(peer, [1, 2])
    bench.run(seconds: 0.01)
    server.set(peer, SOL_SOCKET, SO_LINGER, 1, 0)
    #expect(server.kernel.close(peer) == 0)
    bench.run(seconds: 0.01)
    #expect(client.receive(fd) == [1, 2])
    #expect(client.receive(fd) == nil && client.receiveError == ECONNRESET)
  }

  @Test func `a peer that was switched off and on resets what it has forgotten`() throws {
    let (fd, _, _) = try connected()
    server.node.powerOff()
    _ = client.send(fd, [1])
    bench.run(seconds: 5)
    #expect(client.error(fd) == 0)
    server.restart()
    bench.run(seconds: 60)
    #expect(client.receive(fd) == nil && client.receiveError == ECONNRESET)
  }

  @Test func `a killed process ends its connections`() throws {
    let (fd, _, _) = try connected()
    server.node.kill()
    bench.run(seconds: 0.01)
    #expect(client.taken(fd).contains(.readClosed))
    #expect(client.receive(fd) == [])
    _ = client.send(fd, [1])
    bench.run(seconds: 0.01)
    #expect(client.receive(fd) == [])
    #expect(client.send(fd, [1]) == -Int(EPIPE))
  }
}
