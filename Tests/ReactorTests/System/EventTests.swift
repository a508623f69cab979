import Glibc
import Synchronization
import Testing

@testable import Reactor

@Suite(.timeLimit(.minutes(1))) struct EventTests {
  @Test func `an event comes once for data that nobody reads, and again for more`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.socketPair()
    defer { fixture.close(here, there) }
    #expect(fixture.kernel.register(here, .read, token: 7) == 0)
    #expect(fixture.events().isEmpty)
    #expect(fixture.send(there, "a") == 1)
    #expect(fixture.ready(7) == .readable)
    #expect(fixture.events().isEmpty)
    #expect(fixture.send(there, "b") == 1)
    #expect(fixture.ready(7) == .readable)
    #expect(fixture.receive(here).text == "ab")
    #expect(fixture.receive(here).count == Int(-EAGAIN))
  }

  @Test func `a new socket is writable at once and one that is drained becomes so again`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.socketPair()
    defer { fixture.close(here, there) }
    #expect(fixture.kernel.register(here, [.read, .write], token: 1) == 0)
    #expect(fixture.ready(1) == .writable)
    #expect(fixture.fill(here) > 0)
    #expect(fixture.events().isEmpty)
    while fixture.receive(there).count > 0 {}
    #expect(fixture.ready(1).contains(.writable))
  }

  @Test func `a half-closed TCP connection is closed for reading only`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.tcpPair()
    defer { fixture.close(here, there) }
    #expect(fixture.kernel.register(here, [.read, .write], token: 1) == 0)
    #expect(fixture.kernel.shutdown(there, how: 1) == 0)
    #expect(fixture.ready(1, until: .readClosed) == [.readable, .writable, .readClosed])
    #expect(fixture.send(here, "still") == 5)
  }

  @Test func `an interest in the close alone hears nothing of data`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.tcpPair()
    defer { fixture.close(here, there) }
    #expect(fixture.kernel.register(here, .closed, token: 1) == 0)
    #expect(fixture.send(there, "a") == 1)
    let (other, second) = fixture.socketPair()
    defer { fixture.close(other, second) }
    #expect(fixture.kernel.register(other, .write, token: 2) == 0)
    #expect(fixture.ready(2) == .writable)
    #expect(fixture.events().isEmpty)
    #expect(fixture.kernel.shutdown(there, how: 1) == 0)
    #expect(fixture.ready(1) == .readClosed)
  }

  @Test func `a socket whose peer is gone is closed both ways`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.socketPair()
    defer { fixture.close(here) }
    #expect(fixture.kernel.register(here, .read, token: 1) == 0)
    fixture.close(there)
    #expect(fixture.ready(1).isSuperset(of: [.readClosed, .writeClosed]))
    #expect(fixture.receive(here).count == 0)
    #expect(fixture.send(here, "a") == Int(-EPIPE))
  }

  @Test func `the reading end of a pipe without a writer is closed`() throws {
    let fixture = try Fixture()
    let (reader, writer) = fixture.pipe()
    defer { fixture.close(reader) }
    #expect(fixture.kernel.register(reader, .read, token: 1) == 0)
    fixture.close(writer)
    #expect(fixture.ready(1) == [.readClosed, .writeClosed])
  }

  @Test func `the full writing end of a pipe without a reader is closed for writing`() throws {
    let fixture = try Fixture()
    let (reader, writer) = fixture.pipe()
    defer { fixture.close(writer) }
    #expect(fixture.fill(writer) > 0)
    #expect(fixture.kernel.register(writer, .write, token: 1) == 0)
    fixture.close(reader)
    #expect(fixture.ready(1) == [.error, .writeClosed])
  }

  @Test func `an ICMP error leaves a UDP socket open for writing`() throws {
    let fixture = try Fixture()
    let nobody = fixture.kernel.socket(AF_INET, SocketKind.datagram, 0)
    var address = SocketAddress(127, 0, 0, 1, port: 0)
    #expect(fixture.kernel.bind(nobody, address) == 0)
    #expect(fixture.kernel.localAddress(nobody, &address) == 0)
    let socket = fixture.kernel.socket(AF_INET, SocketKind.datagram, 0)
    defer { fixture.close(socket) }
    #expect(fixture.kernel.connect(socket, address) == 0)
    fixture.close(nobody)
    #expect(fixture.kernel.register(socket, .all, token: 1) == 0)
    #expect(fixture.send(socket, "a") == 1)
    let ready = fixture.ready(1, until: .error)
    #expect(ready.isSuperset(of: [.error, .writable]) && !ready.contains(.writeClosed))
    #expect(fixture.receive(socket).count == Int(-ECONNREFUSED))
  }

  @Test func `urgent data is told apart from data`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.tcpPair()
    defer { fixture.close(here, there) }
    #expect(fixture.kernel.register(here, .priority, token: 1) == 0)
    #expect(fixture.send(there, "!", flags: MessageFlags.urgent) == 1)
    #expect(fixture.ready(1) == .priority)
    #expect(fixture.receive(here, flags: MessageFlags.urgent).text == "!")
  }

  @Test func `a registration is refused with the reason of Linux`() throws {
    let fixture = try Fixture()
    let (here, there) = fixture.socketPair()
    #expect(fixture.kernel.register(here, .read, token: .max) == -EINVAL)
    #expect(fixture.kernel.register(here, .read, token: 1) == 0)
    #expect(fixture.kernel.register(here, .read, token: 2) == -EEXIST)
    #expect(fixture.kernel.deregister(here) == 0)
    #expect(fixture.kernel.deregister(here) == -ENOENT)
    fixture.close(here, there)
    let path = try #require(CPath("/proc/self/exe"))
    let file = fixture.kernel.open(path, flags: O_RDONLY, mode: 0)
    #expect(fixture.kernel.register(file, .read, token: 1) == -EPERM)
    fixture.close(file)
    #expect(fixture.kernel.register(-1, .read, token: 1) == -EBADF)
  }

  @Test func `what a small batch leaves behind comes with the next poll`() throws {
    let fixture = try Fixture(batchCapacity: 2)
    var fds: [Int32] = []
    var seen: [UInt64] = []
    for token: UInt64 in 0..<5 {
      let (here, there) = fixture.socketPair()
      fds += [here, there]
      #expect(fixture.kernel.register(here, .write, token: token) == 0)
    }
    for _ in 0..<5 { seen += fixture.events().map(\.token) }
    #expect(seen.sorted() == [0, 1, 2, 3, 4])
    for fd in fds { fixture.close(fd) }
  }

  @Test func `a poll ends at its deadline and not before`() throws {
    let fixture = try Fixture()
    for wait: UInt64 in [1, 50_000, 1_500_000, 20_000_000] {
      let deadline = fixture.kernel.monotonic() + wait
      #expect(fixture.kernel.poll(until: deadline, into: fixture.batch) == 0)
      #expect(fixture.kernel.monotonic() >= deadline)
    }
    #expect(fixture.kernel.poll(until: 1, into: fixture.batch) == 0)
  }

  @Test func `a wake before a poll ends it at once, and only it`() throws {
    let fixture = try Fixture()
    for _ in 0..<3 { fixture.kernel.wake() }
    #expect(fixture.kernel.poll(until: nil, into: fixture.batch) == 0)
    #expect(fixture.batch.count == 0)
    let deadline = fixture.kernel.monotonic() + 2_000_000
    #expect(fixture.kernel.poll(until: deadline, into: fixture.batch) == 0)
    #expect(fixture.kernel.monotonic() >= deadline)
  }

  @Test func `no wake of another thread is lost`() throws {
    let fixture = try Fixture()
    nonisolated(unsafe) let kernel = fixture.kernel
    let rounds = 20_000
    let progress = Progress()
    inThread {
      for round in 1...rounds {
        progress.asked.store(round, ordering: .releasing)
        unsafe kernel.wake()
        while progress.seen.load(ordering: .acquiring) < round { sched_yield() }
      }
      progress.isOver.store(true, ordering: .releasing)
    }
    while !progress.isOver.load(ordering: .acquiring) {
      if progress.seen.load(ordering: .relaxed) < rounds {
        #expect(fixture.kernel.poll(until: nil, into: fixture.batch) == 0)
      }
      let asked = progress.asked.load(ordering: .acquiring)
      progress.seen.store(asked, ordering: .releasing)
    }
    #expect(progress.seen.load(ordering: .relaxed) == rounds)
  }
}

private final class Progress: Sendable {
  let asked = Atomic(0)
  let seen = Atomic(0)
  let isOver = Atomic(false)
}
