import Glibc
import Testing

@testable import Reactor

@Suite(.timeLimit(.minutes(1))) struct `The driver on a scripted kernel` {
  @Test func `an event of an ended registration is dropped and counted`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(5)
    let token = registration.token
    registration.deregister()
    try scripted.report([KernelEvent(token: token, ready: .readable)])
    #expect(scripted.driver.metrics.staleEvents == 1)
    #expect(scripted.driver.metrics.readyEvents == 0)
    let next = try scripted.register(5)
    #expect(next.token != token)
    try scripted.report([KernelEvent(token: token, ready: .readable)])
    #expect(next.readyEvent(.read) == nil)
    #expect(scripted.driver.metrics.staleEvents == 2)
  }

  @Test func `an event of a token that never was is dropped`() throws {
    let scripted = ScriptedDriver()
    try scripted.report([0, 1, 1 << 32, .max - 1].map { KernelEvent(token: $0, ready: .all) })
    #expect(scripted.driver.metrics.staleEvents == 4)
  }

  @Test func `two thousand ready sockets of which the first closes the rest`() throws {
    let scripted = ScriptedDriver()
    let driver = scripted.driver
    var registrations: [Registration] = []
    var waiters: [WaiterID] = []
    for fd in 0..<2_000 {
      registrations.append(try scripted.register(Int32(fd)))
      waiters.append(driver.makeWaiter())
      #expect(registrations[fd].readIO(waiters[fd]) { _ in -Int(EAGAIN) } == .pending)
    }
    let events = registrations.map { KernelEvent(token: $0.token, ready: .readable) }
    scripted.kernel.batches = [Array(events.prefix(1_000)), Array(events.suffix(1_000))]
    try driver.turn(until: 0)
    let first = try #require(driver.nextWoken())
    #expect(first == (waiters[0], .ready))
    for registration in registrations.dropFirst() { registration.deregister() }
    try driver.turn(until: 0)
    let rest = scripted.woken()
    #expect(rest.map { $0.0 } == Array(waiters.dropFirst()))
    #expect(rest.allSatisfy { $0.1 == .closed })
    #expect(driver.metrics.staleEvents == 1_000)
    #expect(driver.registrationCount == 1)
    #expect(registrations[0].readIO(waiters[0]) { _ in 1 } == .ready(1))
  }

  @Test func `a descriptor number that is used again hears nothing of its predecessor`() throws {
    let scripted = ScriptedDriver()
    let old = try scripted.register(7)
    let event = KernelEvent(token: old.token, ready: .all)
    old.deregister()
    let new = try scripted.register(7)
    try scripted.report([event, event])
    #expect(new.readyEvent(.all) == nil)
    #expect(scripted.driver.metrics.staleEvents == 2)
  }

  @Test func `a duplicate that outlives a failed EPOLL_CTL_DEL is harmless`() throws {
    let scripted = ScriptedDriver()
    let old = try scripted.register(7)
    let waiter = scripted.driver.makeWaiter()
    #expect(old.pollReadReady(waiter) == .pending)
    scripted.kernel.deregisterResults = [-EBADF]
    #expect(old.deregister() == EBADF)
    #expect(scripted.reasons() == [.closed])
    #expect(scripted.driver.registrationCount == 0)
    #expect(scripted.driver.metrics.deregistered == 1)
    let others = try (10..<20).map { try scripted.register($0) }
    try scripted.report([KernelEvent(token: old.token, ready: .all)])
    #expect(others.allSatisfy { $0.readyEvent(.all) == nil })
    #expect(scripted.driver.metrics.staleEvents == 1)
  }

  @Test func `a number that was closed behind a registration's back belongs to the next`() throws {
    let scripted = ScriptedDriver()
    let old = try scripted.register(7)
    let waiter = scripted.driver.makeWaiter()
    #expect(old.pollReadReady(waiter) == .pending)
    let new = try scripted.register(7)
    #expect(scripted.reasons() == [.closed])
    #expect(old.pollReadReady(waiter) == .ended(.closed))
    #expect(old.tryIO(.read) { _ in 1 } == .ended(.closed))
    // The end of the old one must not silence the new one.
    #expect(old.deregister() == 0)
    #expect(scripted.kernel.deregistered.isEmpty)
    try scripted.turn((new, .readable))
    #expect(new.readyEvent(.read) != nil)
    new.deregister()
    #expect(scripted.kernel.deregistered == [7])
  }

  @Test func `a stream whose number was lost does not close the number`() throws {
    let scripted = ScriptedDriver()
    let stream = unsafe scripted.driver.makeStream(try scripted.register(7), .socket)
    _ = try scripted.register(7)
    unsafe scripted.driver.close(stream)
    #expect(scripted.kernel.closed.isEmpty)
    let listener = Listener(registration: try scripted.register(8))
    listener.close()
    #expect(scripted.kernel.closed == [8])
  }

  @Test func `a registration whose number was lost names no descriptor`() throws {
    let scripted = ScriptedDriver()
    let lost = try scripted.register(7)
    let new = try scripted.register(7)
    #expect(lost.isLive && lost.fd == -1 && new.fd == 7)
    lost.close()
    #expect(scripted.kernel.closed.isEmpty && scripted.driver.registrationCount == 1)
    new.close()
    new.close()
    #expect(scripted.kernel.closed == [7] && scripted.driver.registrationCount == 0)
  }

  @Test(arguments: [EEXIST, ENOSPC, ENOMEM, EBADF])
  func `a registration that the kernel refuses leaves nothing behind`(code: Int32) throws {
    let scripted = ScriptedDriver()
    scripted.kernel.registerResults = [-code]
    #expect(throws: SystemError(code, in: "register")) { _ = try scripted.register(3) }
    #expect(scripted.driver.registrationCount == 0)
    #expect(scripted.driver.metrics.registered == 0)
    try scripted.turn()
    let next = try scripted.register(3)
    try scripted.turn((next, .readable))
    #expect(next.readyEvent(.read)?.isReadable == true)
  }

  @Test func `what epoll does not take is always ready, and never waits`() throws {
    let scripted = ScriptedDriver()
    scripted.kernel.registerResults = [-EPERM]
    let file = try scripted.register(3)
    let waiter = scripted.driver.makeWaiter()
    for _ in 0..<3 {
      guard case .ready(let event) = file.pollReadReady(waiter) else {
        Issue.record("not ready")
        return
      }
      #expect(file.clearReadiness(event))
    }
    #expect(file.readIO(waiter) { _ in 0 } == .ready(0))
    // Nothing would end such a wait.
    let refused = file.readIO(waiter) { _ in -Int(EAGAIN) }
    #expect(refused == .failed(SystemError(EAGAIN, in: "readIO")))
    #expect(file.deregister() == 0)
    #expect(scripted.kernel.deregistered.isEmpty)
  }

  @Test func `a failed poll is thrown, after its events and timers`() throws {
    let scripted = ScriptedDriver()
    let registration = try scripted.register(3)
    let waiter = scripted.driver.makeWaiter()
    #expect(registration.pollReadReady(waiter) == .pending)
    scripted.kernel.batches = [[KernelEvent(token: registration.token, ready: .readable)]]
    scripted.kernel.pollResults = [-ENOMEM]
    #expect(throws: SystemError(ENOMEM, in: "epoll_wait")) {
      try scripted.driver.turn(until: nil)
    }
    #expect(scripted.wokenIDs() == [waiter])
  }

  @Test func `a turn waits until the earlier of its deadline and the next timer`() throws {
    let scripted = ScriptedDriver()
    let driver = scripted.driver
    let waiter = driver.makeWaiter()
    try driver.turn()
    _ = driver.sleep(waiter, until: 50_000)
    try driver.turn(until: 9_000)
    try driver.turn(until: 90_000)
    // Somebody is woken already: the turn only looks.
    try driver.turn(until: 90_000)
    #expect(scripted.kernel.deadlines == [nil, 9_000, 50_000, 0])
    #expect(scripted.wokenIDs() == [waiter])
  }

  @Test func `the longest turn is the time between a poll and the next`() throws {
    let scripted = ScriptedDriver()
    let driver = scripted.driver
    try driver.turn(until: 0)
    scripted.kernel.now += 7_000
    try driver.turn(until: 0)
    #expect(driver.metrics.longestTurn == 0)
    driver.measuresTime = true
    try driver.turn(until: 0)
    scripted.kernel.now += 5_000
    try driver.turn(until: 1_000_000)
    scripted.kernel.now += 3_000
    try driver.turn(until: 0)
    #expect(driver.metrics.longestTurn == 5_000)
    #expect(driver.metrics.turns == 5)
  }
}
