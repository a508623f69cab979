import Glibc
import Testing

@testable import Reactor

@Suite(.timeLimit(.minutes(1))) struct `Readiness and its generations` {
  @Test(arguments: [1, 255, 256, 32_767, 32_768, 65_536])
  func `an old event clears nothing that was reported since`(events: Int) throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    try scripted.turn((registration, .readable))
    let old = try #require(registration.readyEvent(.read))
    for _ in 0..<events { try scripted.turn((registration, .readable)) }
    #expect(registration.clearReadiness(old))
    #expect(registration.readyEvent(.read) != nil)
    let new = try #require(registration.readyEvent(.read))
    registration.clearReadiness(new)
    #expect(registration.readyEvent(.read) == nil)
  }

  @Test func `news of one direction does not keep the other ready`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    try scripted.turn((registration, [.readable, .writable]))
    let seen = try #require(registration.readyEvent(.read))
    try scripted.turn((registration, .writable))
    registration.clearReadiness(seen)
    #expect(registration.readyEvent(.read) == nil)
    #expect(registration.readyEvent(.write) != nil)
    let room = try #require(registration.readyEvent(.write))
    try scripted.turn((registration, .readable))
    registration.clearReadiness(room)
    #expect(registration.readyEvent(.write) == nil)
    #expect(registration.readyEvent(.read) != nil)
  }

  @Test func `an event clears only the bits that it saw`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    try scripted.turn((registration, [.readable, .writable]))
    let read = try #require(registration.readyEvent(.read))
    #expect(read.ready == .readable)
    registration.clearReadiness(read)
    #expect(registration.readyEvent([.read, .write])?.ready == .writable)
  }

  @Test func `a second urgent byte survives a clear with the event of the first`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3, .priority)
    try scripted.turn((registration, .priority))
    let old = try #require(registration.readyEvent(.priority))
    try scripted.turn((registration, .priority))
    registration.clearReadiness(old)
    #expect(registration.readyEvent(.priority)?.isPriority == true)
  }

  @Test func `urgent data alone wakes no reader`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3, [.read, .priority])
    let (reader, watcher) = (scripted.driver.makeWaiter(), scripted.driver.makeWaiter())
    #expect(registration.readIO(reader) { _ in -Int(EAGAIN) } == .pending)
    #expect(registration.readiness(.priority, watcher) == .pending)
    try scripted.turn((registration, .priority))
    #expect(scripted.wokenIDs() == [watcher])
  }

  @Test func `an event of another registration clears nothing`() throws {
    let scripted = ScriptedDriver()
    let (one, other) = (try scripted.register(3), try scripted.register(4))
    try scripted.turn((one, .readable), (other, .readable))
    let foreign = try #require(other.readyEvent(.read))
    #expect(!one.clearReadiness(foreign))
    #expect(one.readyEvent(.read) != nil)
    let ended = try #require(one.readyEvent(.read))
    one.deregister()
    #expect(!one.clearReadiness(ended))
  }

  @Test func `a closed end outlives a clear of data, and a second attempt ends it`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    try scripted.turn((registration, [.readable, .readClosed]))
    registration.clearReadiness(try #require(registration.readyEvent(.read)))
    #expect(registration.readyEvent(.read)?.ready == .readClosed)
    registration.clearReadiness(try #require(registration.readyEvent(.read)))
    #expect(registration.readyEvent(.read) == nil)
    #expect(scripted.driver.metrics.spinsAvoided == 1)
  }

  @Test(arguments: [Interest.read, .write])
  func `a loop of attempts that find nothing ends in waiting`(interest: Interest) throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    try scripted.turn((registration, .all))
    var attempts = 0
    while attempts < 100, registration.readyEvent(interest) != nil {
      _ = registration.tryIO(interest) { _ in -Int(EAGAIN) }
      attempts += 1
    }
    #expect(attempts <= 2)
  }

  @Test(arguments: [Ready.readClosed, .error, [.readable, .readClosed, .writeClosed, .error]])
  func `a read of a closed descriptor that finds nothing waits for the next event`(
    ready: Ready
  ) throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    let waiter = scripted.driver.makeWaiter()
    try scripted.turn((registration, ready))
    var calls = 0
    let attempt = registration.readIO(waiter) { _ in
      calls += 1
      return -Int(EAGAIN)
    }
    #expect(attempt == .pending)
    #expect(calls == 1)
    #expect(scripted.driver.metrics.spinsAvoided == 1)
    try scripted.turn((registration, .readable))
    #expect(scripted.wokenIDs() == [waiter])
    #expect(registration.readIO(waiter) { _ in 5 } == .ready(5))
  }

  @Test(arguments: [Ready.error, .writeClosed, [.readClosed, .writeClosed]])
  func `an error or a hang-up ends the waits of both directions`(ready: Ready) throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    let (writer, closed) = (scripted.driver.makeWaiter(), scripted.driver.makeWaiter())
    #expect(registration.writeIO(writer) { _ in -Int(EAGAIN) } == .pending)
    #expect(registration.readiness(.closed, closed) == .pending)
    try scripted.turn((registration, ready))
    #expect(scripted.wokenIDs() == [writer, closed])
  }

  @Test func `a call that finds nothing clears an error for its own direction alone`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    let (reader, writer) = (scripted.driver.makeWaiter(), scripted.driver.makeWaiter())
    try scripted.turn((registration, .error))
    #expect(registration.readIO(reader) { _ in -Int(EAGAIN) } == .pending)
    // The writer learns of it without another event, and so does who waits for errors.
    let broken = SystemError(EPIPE, in: "writeIO")
    #expect(registration.writeIO(writer) { _ in -Int(EPIPE) } == .failed(broken))
    let event = try #require(registration.readyEvent(.error))
    #expect(event.isError && event.ready == registration.readyEvent(.closed)?.ready)
    registration.clearReadiness(event)
    #expect(registration.readyEvent(.error) == nil)
    #expect(registration.readyEvent(.write)?.isError == true)
    try scripted.turn((registration, .error))
    #expect(scripted.wokenIDs() == [reader])
    #expect(registration.readyEvent(.error)?.isError == true)
  }

  @Test func `readiness persists without a waiter, and a later wait returns at once`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    try scripted.turn((registration, .readable))
    try scripted.turn()
    let waiter = scripted.driver.makeWaiter()
    guard case .ready(let event) = registration.pollReadReady(waiter) else {
      Issue.record("lost")
      return
    }
    #expect(event.ready == .readable)
  }

  @Test func `all who wait for readiness are woken, in order, whatever a clear does`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    let waiters = (0..<10).map { _ in scripted.driver.makeWaiter() }
    for waiter in waiters { #expect(registration.pollReadReady(waiter) == .pending) }
    try scripted.turn((registration, .readable))
    registration.clearReadiness(try #require(registration.readyEvent(.read)))
    #expect(scripted.wokenIDs() == waiters)
    #expect(registration.pollReadReady(waiters[0]) == .pending)
  }

  @Test func `an interest that was not registered is refused`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3, .read)
    let waiter = scripted.driver.makeWaiter()
    let refused = SystemError(EINVAL, in: "readiness")
    #expect(registration.pollWriteReady(waiter) == .failed(refused))
    #expect(registration.readiness([.read, .priority], waiter) == .failed(refused))
    #expect(registration.readiness([.read, .closed, .error], waiter) == .pending)
  }
}

@Suite(.timeLimit(.minutes(1))) struct `The shutdown of a driver` {
  @Test func `ends the waits that are pending, of every kind`() throws {
    let scripted = ScriptedDriver()
    let driver = scripted.driver
    let registration = try scripted.register(3)
    let waiters = (0..<4).map { _ in driver.makeWaiter() }
    #expect(registration.readIO(waiters[0]) { _ in -Int(EAGAIN) } == .pending)
    #expect(registration.writeIO(waiters[1]) { _ in -Int(EAGAIN) } == .pending)
    #expect(registration.readiness(.closed, waiters[2]) == .pending)
    _ = driver.sleep(waiters[3], until: .max - 1)
    driver.shutdown()
    driver.shutdown()
    #expect(scripted.reasons() == [.shutdown, .shutdown, .shutdown, .shutdown])
    #expect(driver.waits.timerCount == 0)
  }

  @Test func `ends every later wait at once, and no clear undoes it`() throws {
    let scripted = ScriptedDriver()
    let driver = scripted.driver
    let registration = try scripted.register(3)
    try scripted.turn((registration, [.readable, .writable]))
    let event = try #require(registration.readyEvent([.read, .write]))
    let waiter = driver.makeWaiter()
    driver.shutdown()
    registration.clearReadiness(event)
    #expect(registration.pollReadReady(waiter) == .ended(.shutdown))
    #expect(registration.readIO(waiter) { _ in 1 } == .ended(.shutdown))
    #expect(registration.writeIO(waiter) { _ in 1 } == .ended(.shutdown))
    #expect(registration.tryIO(.read) { _ in 1 } == .ended(.shutdown))
    guard case .ended(.shutdown) = driver.sleep(waiter, until: .max) else {
      Issue.record("slept")
      return
    }
    #expect(throws: SystemError(ECANCELED, in: "register")) { _ = try scripted.register(4) }
    try scripted.turn((registration, .all))
    #expect(scripted.woken().isEmpty)
    registration.deregister()
    #expect(scripted.kernel.deregistered == [3])
  }

  @Test func `reaches one that was woken and has not run yet`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    let waiter = scripted.driver.makeWaiter()
    #expect(registration.readIO(waiter) { _ in -Int(EAGAIN) } == .pending)
    try scripted.turn((registration, .readable))
    scripted.driver.shutdown()
    #expect(scripted.reasons() == [.shutdown])
    #expect(registration.readIO(waiter) { _ in 1 } == .ended(.shutdown))
  }
}
