import Glibc
import Reactor
import Simulator
import Testing

@Suite struct `UDP in a world` {
  @Test func `a datagram arrives after the delay of the link`() throws {
    let world = World(seed: 1)
    let (one, two) = try (#require(world.addNode("one")), #require(world.addNode("two")))
    let (sender, receiver) = (one.start(), two.start())
    let fd = receiver.socket(AF_INET, 2, 0)
    #expect(fd == 3)
    #expect(receiver.bind(fd, SocketAddress(0, 0, 0, 0, port: 7)) == 0)
    #expect(receiver.register(fd, [.read], token: 9) == 0)
    let batch = EventBatch()
    var arrivals: [UInt64] = []
    world.onTurn = { node in
      _ = node.kernel?.poll(until: nil, into: batch)
      if batch.count > 0 { arrivals.append(world.now) }
    }
    let from = sender.socket(AF_INET, 2, 0)
    let message = Message(address: SocketAddress(10, 0, 0, 2, port: 7))
    let bytes: [UInt8] = [1, 2, 3]
    let sent = unsafe bytes.withUnsafeBytes {
      unsafe sender.sendMessage(from, $0, flags: 0, message)
    }
    #expect(sent == 3)
    world.run(until: 1_000_000_000)
    #expect(arrivals == [100_000])
    var room = [UInt8](repeating: 0, count: 16)
    var taken = Message()
    let count = unsafe room.withUnsafeMutableBytes {
      unsafe receiver.receiveMessage(fd, $0, flags: 0, &taken)
    }
    #expect(count == 3)
    #expect(taken.address?.description == "10.0.0.1:32768")
  }
}
