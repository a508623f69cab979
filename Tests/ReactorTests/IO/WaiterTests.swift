import Glibc
import Reactor
import Testing

/// A driver with a pair of sockets, used as an app uses it: through what is public.
private struct Pair {
  let driver: Driver
  let kernel: LinuxKernel
  let here: Registration
  let ends: (Int32, Int32)

  init() throws {
    kernel = try LinuxKernel()
    driver = Driver(kernel: kernel)
    var (first, second): (Int32, Int32) = (-1, -1)
    _ = kernel.socketPair(1, 1, 0, &first, &second)
    here = try driver.register(first, [.read, .write])
    ends = (first, second)
  }

  func close() {
    here.deregister()
    _ = kernel.close(ends.0)
    _ = kernel.close(ends.1)
  }

  func feed(_ text: String) {
    _ = unsafe [UInt8](text.utf8).withUnsafeBytes { unsafe kernel.write(ends.1, $0) }
  }

  /// One read of at most 64 bytes, by a waiter.
  func read(_ waiter: WaiterID, deadline: UInt64? = nil) -> Poll<Int> {
    var bytes = [UInt8](repeating: 0, count: 64)
    return here.readIO(waiter, deadline: deadline) { fd in
      unsafe bytes.withUnsafeMutableBytes { unsafe kernel.read(fd, $0) }
    }
  }

  /// Turns until somebody is woken; nil after 30 seconds.
  func next() throws -> (waiter: WaiterID, reason: WakeReason)? {
    let limit = kernel.monotonic() + 30_000_000_000
    while kernel.monotonic() < limit {
      try driver.turn(until: limit)
      if let woken = driver.nextWoken() { return woken }
    }
    return nil
  }
}

@Suite(.timeLimit(.minutes(1))) struct `Waiters of Swift callers` {
  @Test func `a read waits, is woken, and goes on where it was`() throws {
    let pair = try Pair()
    defer { pair.close() }
    let waiter = pair.driver.makeWaiter()
    #expect(pair.read(waiter) == .pending)
    #expect(pair.read(waiter) == .pending)
    pair.feed("hello")
    let woken = try #require(try pair.next())
    #expect(woken == (waiter, .ready))
    #expect(pair.read(waiter) == .ready(5))
    #expect(pair.read(waiter) == .pending)
  }

  @Test func `readers take turns, and the next is woken while there is more`() throws {
    let pair = try Pair()
    defer { pair.close() }
    let (first, second) = (pair.driver.makeWaiter(), pair.driver.makeWaiter())
    #expect(pair.read(first) == .pending)
    #expect(pair.read(second) == .pending)
    pair.feed("x")
    #expect(try pair.next()?.waiter == first)
    #expect(pair.driver.nextWoken() == nil)
    #expect(pair.read(first) == .ready(1))
    #expect(try pair.next()?.waiter == second)
    #expect(pair.read(second) == .pending)
  }

  @Test func `a turn that is not used goes to the next in line`() throws {
    let pair = try Pair()
    defer { pair.close() }
    let (first, second) = (pair.driver.makeWaiter(), pair.driver.makeWaiter())
    #expect(pair.read(first) == .pending)
    #expect(pair.read(second) == .pending)
    pair.feed("x")
    #expect(try pair.next()?.waiter == first)
    // It does something else instead.
    _ = pair.driver.sleep(first, until: .max - 1)
    #expect(try pair.next()?.waiter == second)
    #expect(pair.read(second) == .ready(1))
    pair.driver.freeWaiter(first)
  }

  @Test func `freeing a waiter that has its turn passes it on`() throws {
    let pair = try Pair()
    defer { pair.close() }
    let (first, second) = (pair.driver.makeWaiter(), pair.driver.makeWaiter())
    #expect(pair.read(first) == .pending)
    #expect(pair.read(second) == .pending)
    pair.feed("x")
    #expect(try pair.next()?.waiter == first)
    pair.driver.freeWaiter(first)
    #expect(try pair.next()?.waiter == second)
  }

  @Test func `readiness is reported until it is cleared, and only what was seen is cleared`() throws
  {
    let pair = try Pair()
    defer { pair.close() }
    let waiter = pair.driver.makeWaiter()
    #expect(pair.here.pollReadReady(waiter) == .pending)
    pair.feed("x")
    #expect(try pair.next()?.reason == .ready)
    guard case .ready(let event) = pair.here.pollReadReady(waiter) else {
      Issue.record("not ready")
      return
    }
    #expect(event.isReadable)
    #expect(pair.here.pollReadReady(waiter) == .ready(event))
    #expect(pair.here.clearReadiness(event))
    #expect(pair.here.pollReadReady(waiter, deadline: 0) == .ended(.timeout))
    guard case .ready(let room) = pair.here.pollWriteReady(waiter) else {
      Issue.record("not writable")
      return
    }
    #expect(room.isWritable)
  }

  @Test func `a wait ends at its deadline, and a deadline that has passed does not wait`() throws {
    let pair = try Pair()
    defer { pair.close() }
    let waiter = pair.driver.makeWaiter()
    let deadline = pair.kernel.monotonic() + 2_000_000
    #expect(pair.read(waiter, deadline: deadline) == .pending)
    #expect(try pair.next()?.reason == .timeout)
    #expect(pair.kernel.monotonic() >= deadline)
    #expect(pair.read(waiter, deadline: deadline) == .ended(.timeout))
    #expect(pair.read(waiter, deadline: 0) == .ended(.timeout))
  }

  @Test func `a sleep ends at its time, never early`() throws {
    let pair = try Pair()
    defer { pair.close() }
    let waiter = pair.driver.makeWaiter()
    let deadline = pair.kernel.monotonic() + 2_000_000
    guard case .pending = pair.driver.sleep(waiter, until: deadline) else {
      Issue.record("did not wait")
      return
    }
    #expect(try pair.next()?.waiter == waiter)
    #expect(pair.kernel.monotonic() >= deadline)
    guard case .ready = pair.driver.sleep(waiter, until: deadline) else {
      Issue.record("waited again")
      return
    }
  }

  @Test func `cancelling, closing and shutting down end a wait with their reasons`() throws {
    let pair = try Pair()
    let waiter = pair.driver.makeWaiter()
    #expect(!pair.driver.cancel(waiter))
    #expect(pair.read(waiter) == .pending)
    #expect(pair.driver.cancel(waiter))
    #expect(try pair.next()?.reason == .cancelled)
    #expect(pair.read(waiter) == .pending)
    pair.here.deregister()
    #expect(try pair.next()?.reason == .closed)
    #expect(pair.read(waiter) == .ended(.closed))
    pair.close()

    let other = try Pair()
    defer { other.close() }
    let last = other.driver.makeWaiter()
    #expect(other.read(last) == .pending)
    other.driver.shutdown()
    #expect(other.driver.nextWoken()?.reason == .shutdown)
    #expect(other.read(last) == .ended(.shutdown))
  }

  @Test func `an id that is gone is harmless`() throws {
    let pair = try Pair()
    defer { pair.close() }
    let waiter = pair.driver.makeWaiter()
    #expect(pair.read(waiter) == .pending)
    pair.driver.freeWaiter(waiter)
    pair.driver.freeWaiter(waiter)
    #expect(pair.read(waiter) == .ended(.closed))
    #expect(pair.here.pollReadReady(waiter) == .ended(.closed))
    #expect(!pair.driver.cancel(waiter))
    guard case .ended(.closed) = pair.driver.sleep(waiter, until: 0) else {
      Issue.record("slept")
      return
    }
    pair.feed("x")
    try pair.driver.turn(until: 0)
    #expect(pair.driver.nextWoken() == nil)
    // The next waiter may have its place, and is another.
    #expect(pair.driver.makeWaiter() != waiter)
  }

  @Test func `tryIO never waits, and clears what turned out to be nothing`() throws {
    let pair = try Pair()
    defer { pair.close() }
    #expect(pair.here.tryIO(.read) { _ in 1 } == .pending)
    pair.feed("x")
    try pair.driver.turn(until: pair.kernel.monotonic() + 30_000_000_000)
    #expect(pair.here.tryIO(.read) { _ in 1 } == .ready(1))
    let refused = pair.here.tryIO(.read) { _ in -Int(ECONNRESET) }
    #expect(refused == .failed(SystemError(ECONNRESET, in: "tryIO")))
    #expect(pair.here.tryIO(.read) { _ in -Int(EAGAIN) } == .pending)
    #expect(pair.here.tryIO(.read) { _ in 1 } == .pending)
  }
}
