import Glibc
import Reactor
import Simulator
import Testing

@Suite struct `UDP in a world` {
  let bench = Bench()
  let one: Process
  let two: Process

  init() {
    one = bench.node("one")
    two = bench.node("two")
  }

  @Test func `a datagram arrives after the delay of the link, with its sender`() throws {
    let fd = two.socket(2)
    #expect(fd == 3)
    #expect(two.kernel.bind(fd, SocketAddress(0, 0, 0, 0, port: 7)) == 0)
    var arrival: UInt64?
    var taken: ([UInt8], Message)?
    two.program = { process in
      guard let message = process.receiveFrom(fd) else { return }
      (arrival, taken) = (bench.world.now, message)
    }
    let from = one.socket(2)
    #expect(one.send(from, [1, 2, 3], to: two.address(7)) == 3)
    bench.run(seconds: 1)
    #expect(arrival == 100_000)
    #expect(taken?.0 == [1, 2, 3])
    #expect(taken?.1.address?.description == "10.0.0.1:32768")
    #expect(bench.world.now == 1_000_000_000)
  }

  @Test func `a datagram that is longer than the room is cut, and says so`() throws {
    let fd = one.socket(2)
    #expect(one.kernel.bind(fd, SocketAddress(127, 0, 0, 1, port: 7)) == 0)
    let sender = one.socket(2)
    #expect(one.send(sender, [1, 2, 3, 4], to: SocketAddress(127, 0, 0, 1, port: 7)) == 4)
    #expect(one.send(sender, [], to: SocketAddress(127, 0, 0, 1, port: 7)) == 0)
    let (bytes, message) = try #require(one.receiveFrom(fd, 2))
    #expect(bytes == [1, 2])
    #expect(message.flags == 0x20)
    let (empty, second) = try #require(one.receiveFrom(fd, 2))
    #expect(empty.isEmpty && second.flags == 0)
    #expect(one.receiveFrom(fd, 2) == nil)
  }

  @Test func `a datagram above 65,507 bytes is refused`() {
    let fd = one.socket(2)
    let bytes = [UInt8](repeating: 0, count: 65_508)
    #expect(one.send(fd, bytes, to: two.address(7)) == -Int(EMSGSIZE))
    #expect(one.send(fd, [UInt8](bytes.dropFirst()), to: two.address(7)) == 65_507)
  }

  @Test func `a connected socket hears its peer alone, and that nobody listens`() {
    let fd = one.socket(2)
    #expect(one.kernel.connect(fd, two.address(7)) == 0)
    #expect(one.local(fd).description == "10.0.0.1:32768")
    let stranger = two.socket(2)
    _ = two.send(stranger, [9], to: one.local(fd))
    bench.run(seconds: 1)
    #expect(one.receive(fd) == nil && one.receiveError == 0)
    #expect(one.send(fd, [1]) == 1)
    bench.run(seconds: 1)
    #expect(one.taken(fd).contains(.error))
    #expect(one.receive(fd) == nil && one.receiveError == ECONNREFUSED)
    #expect(one.receive(fd) == nil && one.receiveError == 0)
    #expect(one.send(fd, [1]) == 1)
  }

  @Test func `a full receive buffer drops the newest`() {
    let fd = two.socket(2)
    #expect(two.kernel.bind(fd, two.address(7)) == 0)
    two.set(fd, SOL_SOCKET, SO_RCVBUF, 4_096)
    #expect(two.option(fd, SOL_SOCKET, SO_RCVBUF) == 8_192)
    let sender = one.socket(2)
    for number in 0..<20 { _ = one.send(sender, [UInt8(number)], to: two.address(7)) }
    bench.run(seconds: 1)
    var numbers: [UInt8] = []
    while let bytes = two.receive(fd) { numbers += bytes }
    #expect(numbers == [UInt8](0..<9))
  }

  @Test func `addresses are taken once, unless both reuse them`() {
    let (first, second) = (one.socket(2), one.socket(2))
    #expect(one.kernel.bind(first, SocketAddress(0, 0, 0, 0, port: 7)) == 0)
    #expect(one.kernel.bind(second, one.address(7)) == -EADDRINUSE)
    #expect(one.kernel.bind(second, two.address(7)) == -EADDRNOTAVAIL)
    one.set(first, SOL_SOCKET, SO_REUSEADDR, 1)
    one.set(second, SOL_SOCKET, SO_REUSEADDR, 1)
    #expect(one.kernel.bind(second, one.address(7)) == 0)
    #expect(one.kernel.bind(second, one.address(8)) == -EINVAL)
    #expect(one.kernel.close(first) == 0)
    #expect(one.kernel.close(first) == -EBADF)
    #expect(one.socket(2) == first)
  }

  @Test func `nobody has an address outside the world`() {
    let fd = one.socket(2)
    #expect(one.send(fd, [1], to: SocketAddress(192, 168, 0, 1, port: 7)) == -Int(ENETUNREACH))
    #expect(one.kernel.connect(fd, SocketAddress(192, 168, 0, 1, port: 7)) == -ENETUNREACH)
  }

  @Test func `a socket of IPv6 hears IPv4 as mapped`() throws {
    let fd = two.socket(2, family: AF_INET6)
    #expect(two.kernel.bind(fd, try SocketAddress(parsing: "[::]:7")) == 0)
    let (old, new) = (one.socket(2), one.socket(2, family: AF_INET6))
    _ = one.send(old, [4], to: two.address(7))
    _ = one.send(new, [6], to: two.node.addressIPv6(port: 7))
    bench.run(seconds: 1)
    let (four, six) = try (#require(two.receiveFrom(fd)), #require(two.receiveFrom(fd)))
    #expect(four.0 == [4] && four.1.address?.description == "[::ffff:10.0.0.1]:32768")
    #expect(six.0 == [6] && six.1.address?.description == "[fd00::1]:32769")
  }
}
