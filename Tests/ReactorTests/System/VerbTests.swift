import CLinux
import Glibc
import Testing

@testable import Reactor

@Suite(.timeLimit(.minutes(1))) struct VerbTests {
  @Test func `a connection is made, carries bytes and tells its addresses`() throws {
    let fixture = try Fixture()
    let kernel = fixture.kernel
    let (listener, address) = fixture.listener()
    var peer = SocketAddress()
    #expect(kernel.accept(listener, &peer) == -EAGAIN)
    #expect(kernel.register(listener, .read, token: 1) == 0)
    let client = kernel.socket(AF_INET, SocketKind.stream, 0)
    #expect([0, -EINPROGRESS].contains(kernel.connect(client, address)))
    #expect(fixture.ready(1) == .readable)
    let server = kernel.accept(listener, &peer)
    #expect(server >= 0)
    var (local, remote) = (SocketAddress(), SocketAddress())
    #expect(kernel.localAddress(client, &local) == 0)
    #expect(local == peer)
    #expect(kernel.peerAddress(client, &remote) == 0)
    #expect(remote == address)
    #expect(fixture.receive(server).count == Int(-EAGAIN))
    #expect(fixture.send(client, "hello") == 5)
    #expect(kernel.register(server, .read, token: 2) == 0)
    #expect(fixture.ready(2) == .readable)
    #expect(fixture.receive(server).text == "hello")
    fixture.close(listener, client, server)
    #expect(kernel.peerAddress(client, &remote) == -EBADF)
  }

  @Test func `a connection to nobody is refused`() throws {
    let fixture = try Fixture()
    let (listener, address) = fixture.listener()
    fixture.close(listener)
    let client = fixture.kernel.socket(AF_INET, SocketKind.stream, 0)
    defer { fixture.close(client) }
    let result = fixture.kernel.connect(client, address)
    #expect(result == -EINPROGRESS || result == -ECONNREFUSED)
    if result == -EINPROGRESS {
      #expect(fixture.kernel.register(client, .write, token: 1) == 0)
      #expect(fixture.ready(1).contains(.error))
      var error: Int32 = 0
      let length = unsafe withUnsafeMutableBytes(of: &error) {
        unsafe fixture.kernel.option(client, level: SOL_SOCKET, name: SO_ERROR, $0)
      }
      #expect(length == 4 && error == ECONNREFUSED)
    }
  }

  @Test func `an option is set and read`() throws {
    let fixture = try Fixture()
    let fd = fixture.kernel.socket(AF_INET, SocketKind.stream, 0)
    defer { fixture.close(fd) }
    var value: Int32 = 1
    let set = unsafe withUnsafeBytes(of: value) {
      unsafe fixture.kernel.setOption(fd, level: SOL_SOCKET, name: SO_REUSEADDR, $0)
    }
    value = 0
    let length = unsafe withUnsafeMutableBytes(of: &value) {
      unsafe fixture.kernel.option(fd, level: SOL_SOCKET, name: SO_REUSEADDR, $0)
    }
    #expect(set == 0 && length == 4 && value == 1)
  }

  @Test func `a datagram comes with its sender, and says when it was cut`() throws {
    let fixture = try Fixture()
    let one = fixture.kernel.socket(AF_INET, SocketKind.datagram, 0)
    let other = fixture.kernel.socket(AF_INET, SocketKind.datagram, 0)
    defer { fixture.close(one, other) }
    var (from, to) = (SocketAddress(127, 0, 0, 1, port: 0), SocketAddress(127, 0, 0, 1, port: 0))
    #expect(fixture.kernel.bind(one, from) == 0 && fixture.kernel.bind(other, to) == 0)
    #expect(fixture.kernel.localAddress(one, &from) == 0)
    #expect(fixture.kernel.localAddress(other, &to) == 0)
    let bytes = [UInt8](repeating: 0x61, count: 100)
    let sent = unsafe bytes.withUnsafeBytes {
      unsafe fixture.kernel.sendMessage(one, $0, flags: 0, Message(address: to))
    }
    #expect(sent == 100)
    #expect(fixture.kernel.register(other, .read, token: 1) == 0)
    #expect(fixture.ready(1) == .readable)
    var message = Message()
    let received = unsafe fixture.filled {
      unsafe fixture.kernel.receiveMessage(other, $0, flags: 0, &message)
    }
    #expect(received.count == 64)
    #expect(message.address == from && message.descriptors.isEmpty)
    #expect(message.flags == MessageFlags.truncated)
    let empty = unsafe fixture.filled {
      unsafe fixture.kernel.receiveMessage(other, $0, flags: 0, &message)
    }
    #expect(empty.count == Int(-EAGAIN) && message.address == nil)
  }

  @Test func `a descriptor passes over a Unix socket and is close-on-exec`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.socketPair()
    let (reader, writer) = fixture.pipe()
    let passed = Message(descriptors: [writer, reader])
    let sent = unsafe [UInt8]("x".utf8).withUnsafeBytes {
      unsafe fixture.kernel.sendMessage(here, $0, flags: 0, passed)
    }
    #expect(sent == 1)
    var message = Message()
    let received = unsafe fixture.filled {
      unsafe fixture.kernel.receiveMessage(there, $0, flags: 0, &message)
    }
    #expect(received.text == "x" && message.descriptors.count == 2)
    #expect(message.address == nil && message.flags == 0)
    let copy = try #require(message.descriptors.first)
    #expect(fcntl(copy, F_GETFD) == FD_CLOEXEC)
    #expect(fixture.write(copy, "through") == 7)
    #expect(fixture.read(reader).text == "through")
    for fd in message.descriptors { fixture.close(fd) }
    fixture.close(here, there, reader, writer)
  }

  @Test func `a message passes 16 descriptors and refuses 17`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.socketPair()
    defer { fixture.close(here, there) }
    for (count, expected) in [(16, 1), (17, Int(-EINVAL))] {
      let passed = Message(descriptors: [Int32](repeating: here, count: count))
      let sent = unsafe [UInt8]("x".utf8).withUnsafeBytes {
        unsafe fixture.kernel.sendMessage(here, $0, flags: 0, passed)
      }
      #expect(sent == expected)
    }
    var message = Message()
    _ = unsafe fixture.filled {
      unsafe fixture.kernel.receiveMessage(there, $0, flags: 0, &message)
    }
    #expect(message.descriptors.count == 16)
    for fd in message.descriptors { fixture.close(fd) }
  }

  @Test func `descriptors are made close-on-exec and non-blocking`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.socketPair()
    let (reader, writer) = fixture.pipe()
    let (client, server) = fixture.tcpPair()
    let copy = fixture.kernel.duplicate(reader)
    for fd in [here, there, reader, writer, client, server, copy] {
      #expect(fcntl(fd, F_GETFD) & FD_CLOEXEC != 0)
      #expect(fcntl(fd, F_GETFL) & O_NONBLOCK != 0)
      fixture.close(fd)
    }
  }

  @Test func `a blocking socket is received from without blocking`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.socketPair()
    defer { fixture.close(here, there) }
    #expect(fcntl(here, F_SETFL, 0) == 0)
    #expect(fixture.receive(here).count == Int(-EAGAIN))
    #expect(fixture.kernel.setNonBlocking(here) == 0)
    #expect(fcntl(here, F_GETFL) & O_NONBLOCK != 0)
    #expect(fixture.kernel.setNonBlocking(-1) == -EBADF)
  }

  @Test func `a write to an eventfd and to a file works as to a pipe`() throws {
    let fixture = try Fixture()
    let counter = linux_eventfd()
    #expect(fixture.write(counter, "12345678") == 8)
    #expect(fixture.write(counter, "1") == Int(-EINVAL))
    fixture.close(counter)
    #expect(fixture.write(-1, "1") == Int(-EBADF))
  }

  @Test func `every kind of descriptor is told`() throws {
    let fixture = try Fixture()
    func kind(_ fd: Int32) -> DescriptorKind? {
      var kind = DescriptorKind.other
      defer { fixture.close(fd) }
      return fixture.kernel.kind(fd, &kind) == 0 ? kind : nil
    }
    func opened(_ path: String, _ flags: Int32 = O_RDONLY) -> Int32 {
      CPath(path).map { fixture.kernel.open($0, flags: flags, mode: 0) } ?? -1
    }
    let kernel = fixture.kernel
    #expect(kind(kernel.socket(AF_INET, SocketKind.stream, 0)) == .streamSocket)
    #expect(kind(kernel.socket(AF_INET, SocketKind.datagram, 0)) == .datagramSocket)
    #expect(kind(kernel.socket(AF_UNIX, SocketKind.stream, 0)) == .unixStreamSocket)
    #expect(kind(kernel.socket(AF_UNIX, SocketKind.seqpacket, 0)) == .seqpacketSocket)
    #expect(kind(kernel.socket(AF_NETLINK, SocketKind.raw, 0)) == .otherSocket)
    #expect(kind(fixture.listener().fd) == .listeningSocket)
    let (reader, writer) = fixture.pipe()
    #expect(kind(reader) == .pipe && kind(writer) == .pipe)
    let packets = fixture.pipe()
    #expect(fcntl(packets.write, F_SETFL, packetMode) == 0)
    #expect(kind(packets.write) == .packetPipe && kind(packets.read) == .pipe)
    #expect(kind(opened("/dev/null")) == .characterDevice)
    #expect(kind(opened("/proc/self/exe")) == .regularFile)
    #expect(kind(opened("/", O_RDONLY)) == .directory)
    #expect(kind(linux_eventfd()) == .other)
    #expect(kind(opened("/dev/ptmx", O_RDWR)) == .terminal)
    #expect(kind(-1) == nil)
    #expect(DescriptorKind.otherSocket.isSocket && !DescriptorKind.pipe.isSocket)
  }
}

/// O_DIRECT, which Glibc's module hides.
#if arch(arm64)
private let packetMode: Int32 = 0o200000
#else
private let packetMode: Int32 = 0o40000
#endif
