import Glibc
import Testing

@testable import Reactor

/// What concerns a whole process, each in one of its own. Its own runtime may open a few
/// descriptors at any time, so a leak is looked for in a hundred rounds.
@Suite(.timeLimit(.minutes(1))) struct ProcessTests {
  @Test func `a kernel gives back every descriptor`() async {
    await #expect(processExitsWith: .success) {
      let counter = try Fixture()
      let before = counter.descriptorCount()
      for _ in 0..<100 {
        let fixture = try Fixture()
        let (here, there) = fixture.tcpPair()
        #expect(fixture.kernel.register(here, .all, token: 1) == 0)
        fixture.close(here, there)
      }
      #expect(counter.descriptorCount() < before + 100)
    }
  }

  @Test func `a kernel ends while look-ups go on, and leaves nothing behind`() async {
    await #expect(processExitsWith: .success) {
      let counter = try Fixture()
      let before = counter.descriptorCount()
      for _ in 0..<100 {
        let kernel = try LinuxKernel()
        for token: UInt64 in 0..<20 {
          #expect(kernel.resolve("127.0.0.1", service: "", token: token) == 0)
        }
      }
      // The C library has descriptors of its own for as long as a look-up takes.
      let limit = counter.kernel.monotonic() + 30_000_000_000
      while counter.descriptorCount() >= before + 100, counter.kernel.monotonic() < limit {
        sched_yield()
      }
      #expect(counter.descriptorCount() < before + 100)
    }
  }

  @Test func `a kernel without descriptors left is an error that names the call`() async {
    await #expect(processExitsWith: .success) {
      // The runtime opens its own descriptors with its first timer, and must not lack them below.
      try await Task.sleep(for: .nanoseconds(1))
      let counter = try Fixture()
      let before = counter.descriptorCount()
      let resource = Int32(RLIMIT_NOFILE.rawValue)
      var limit = rlimit()
      #expect(unsafe getrlimit(resource, &limit) == 0)
      var errors: [String] = []
      // From no room at all, over room for one of the two that a kernel needs, to enough.
      for room in 0..<64 {
        var low = limit
        low.rlim_cur = rlim_t(room)
        #expect(unsafe setrlimit(resource, &low) == 0)
        for _ in 0..<10 {
          do {
            _ = try LinuxKernel()
          } catch let error as SystemError {
            errors.append(error.description)
          }
        }
        #expect(unsafe setrlimit(resource, &limit) == 0)
      }
      #expect(errors.first == "eventfd: too many open files (EMFILE)")
      #expect(errors.contains("epoll_create1: too many open files (EMFILE)"))
      #expect(errors.count < 640)
      #expect(counter.descriptorCount() < before + 10)
    }
  }

  @Test func `a write to a pipe without a reader raises no signal`() async {
    await #expect(processExitsWith: .success) {
      _ = signal(SIGPIPE, SIG_DFL)
      let fixture = try Fixture()
      let (reader, writer) = fixture.pipe()
      let (here, there) = fixture.socketPair()
      fixture.close(reader, there)
      #expect(fixture.write(writer, "a") == Int(-EPIPE))
      #expect(fixture.send(here, "a") == Int(-EPIPE))
      #expect(fixture.write(here, "a") == Int(-EPIPE))
    }
  }

  @Test func `standard input is read without blocking and keeps its flags`() async {
    await #expect(processExitsWith: .success) {
      let fixture = try Fixture()
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      #expect(dup2(ends[0], 0) == 0)
      func read() -> (count: Int, text: String) {
        unsafe fixture.filled { unsafe fixture.kernel.readStandardInput($0) }
      }
      #expect(read().count == Int(-EAGAIN))
      #expect(fixture.write(ends[1], "line") == 4)
      #expect(read().text == "line")
      #expect(fcntl(0, F_GETFL) & O_NONBLOCK == 0)
      fixture.close(ends[1])
      #expect(read().count == 0)
      fixture.close(0)
      #expect(read().count == Int(-EBADF))
    }
  }

  @Test func `standard output takes parts until it is full and keeps its flags`() async {
    await #expect(processExitsWith: .success) {
      let fixture = try Fixture()
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      let original = dup(2)
      #expect(dup2(ends[1], 2) == 2)
      let block = [UInt8](repeating: 0x61, count: 10_000)
      func write() -> Int {
        unsafe block.withUnsafeBytes { unsafe fixture.kernel.writeStandard(2, $0) }
      }
      #expect(write() == 4096)
      var last = 0
      repeat { last = write() } while last > 0
      #expect(last == Int(-EAGAIN))
      #expect(fcntl(2, F_GETFL) & O_NONBLOCK == 0)
      fixture.close(ends[0])
      let result = write()
      #expect(dup2(original, 2) == 2)
      #expect(result == Int(-EPIPE))
    }
  }

  @Test func `a standard stream that was made non-blocking is given back as it was`() async {
    await #expect(processExitsWith: .success) {
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      #expect(dup2(ends[0], 0) == 0)
      let fixture = try Fixture()
      for _ in 0..<2 {
        #expect(fixture.kernel.setNonBlocking(0) == 0)
        #expect(fcntl(0, F_GETFL) & O_NONBLOCK != 0)
      }
      fixture.kernel.restore()
      #expect(fcntl(0, F_GETFL) & O_NONBLOCK == 0)
    }
  }
}
