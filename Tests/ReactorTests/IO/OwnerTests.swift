import Glibc
import Testing

@testable import Reactor

/// Runs `body` in a process that fork(2) makes, and returns the exit status of that process.
private func forked(_ body: () -> Int32) -> Int32 {
  typealias Fork = @convention(c) () -> pid_t
  // Swift hides the call, as most programs must not use it.
  guard let symbol = unsafe dlsym(nil, "fork") else { return -1 }
  let child = unsafe unsafeBitCast(symbol, to: Fork.self)()
  if child == 0 { _exit(body()) }
  var status: Int32 = 0
  guard child > 0, unsafe waitpid(child, &status, 0) == child else { return -1 }
  return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
}

/// A driver in another process or thread than its own.
@Suite(.timeLimit(.minutes(1))) struct `Whose a driver is` {
  @Test func `a forked process gets an error, and its parent's events go on`() async {
    await #expect(processExitsWith: .success) {
      let fixture = try Fixture()
      let driver = Driver(kernel: fixture.kernel)
      let (here, there) = fixture.socketPair()
      let registration = try driver.register(here, .read)
      let waiter = driver.makeWaiter()
      #expect(registration.pollReadReady(waiter) == .pending)
      let status = forked {
        var failures: [String] = []
        do throws(SystemError) {
          try driver.turn(until: 0)
        } catch {
          failures.append(error.description)
        }
        do throws(SystemError) {
          _ = try driver.register(there, .read)
        } catch {
          failures.append(error.description)
        }
        // Neither of these may reach the epoll that the parent goes on with.
        let ended = registration.deregister()
        fixture.close(here, there)
        let text = "use of a driver after fork: file descriptor in bad state (EBADFD)"
        return failures == [text, text] && ended == EBADFD ? 42 : 1
      }
      #expect(status == 42)
      #expect(fixture.send(there, "x") == 1)
      try driver.turn(until: fixture.kernel.monotonic() + 30_000_000_000)
      #expect(driver.nextWoken()?.waiter == waiter)
      #expect(registration.readyEvent(.read)?.isReadable == true)
    }
  }

  @Test func `a forked process can make a driver of its own`() async {
    await #expect(processExitsWith: .success) {
      let parents = try Fixture()
      let status = forked {
        guard let fixture = try? Fixture() else { return 1 }
        let driver = Driver(kernel: fixture.kernel)
        let (here, there) = fixture.socketPair()
        guard let registration = try? driver.register(here, .read), fixture.send(there, "x") == 1,
          (try? driver.turn(until: 0)) != nil
        else { return 2 }
        return registration.readyEvent(.read) == nil ? 3 : 42
      }
      #expect(status == 42)
      #expect(parents.events().isEmpty)
    }
  }

  @Test func `a forked process leaves the flags of standard input alone`() async {
    await #expect(processExitsWith: .success) {
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      #expect(dup2(ends[0], 0) == 0)
      var fixture: Fixture? = try Fixture()
      #expect(fixture?.kernel.setNonBlocking(0) == 0)
      let status = forked {
        fixture?.kernel.restore()
        fixture = nil
        return 42
      }
      #expect(status == 42)
      #expect(fcntl(0, F_GETFL) & O_NONBLOCK != 0)
      fixture = nil
      #expect(fcntl(0, F_GETFL) & O_NONBLOCK == 0)
    }
  }

  #if DEBUG
  @Test func `another thread stops a debug build with a message`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let driver = Driver(kernel: try LinuxKernel())
      try driver.turn(until: 0)
      nonisolated(unsafe) let shared = driver
      inThread { _ = unsafe shared.makeWaiter() }
      while true { pause() }
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("a driver belongs to one thread"), "\(text)")
  }
  #endif

  @Test func `a driver moves to a thread that claims it`() throws {
    let driver = Driver(kernel: try LinuxKernel())
    try driver.turn(until: 0)
    nonisolated(unsafe) let shared = driver
    let isDone = Latch()
    inThread {
      unsafe shared.claimThread()
      _ = unsafe shared.makeWaiter()
      isDone.open()
    }
    isDone.wait()
    driver.claimThread()
    #expect(driver.nextWoken() == nil)
  }
}
