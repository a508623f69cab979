import Glibc
import Testing

@testable import Reactor

@Suite(.timeLimit(.minutes(1))) struct `A listener on a scripted kernel` {
  private let scripted = ScriptedDriver()
  private let listener: Listener
  private var kernel: ScriptedKernel { scripted.kernel }
  private var driver: Driver { scripted.driver }

  init() throws { listener = Listener(registration: try scripted.register(9, .read)) }

  private func accept(_ caller: Caller) -> Attempt {
    var peer = SocketAddress()
    return listener.accept(&peer, caller)
  }

  private func turn(until deadline: UInt64 = 0) throws { try driver.turn(until: deadline) }

  @Test(arguments: [
    ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
    ENETUNREACH,
  ])
  func `skips the errors of one connection and takes the next`(code: Int32) throws {
    try scripted.turn((listener.registration, .readable))
    kernel.accepts = [-code, -code, 20]
    #expect(accept(TestTask(driver).first) == .done(20))
    #expect(driver.metrics.acceptErrors == 2)
  }

  @Test func `gives up after 64 errors in a row, and rests`() throws {
    try scripted.turn((listener.registration, .readable))
    kernel.accepts = Array(repeating: -ECONNABORTED, count: 100)
    let task = TestTask(driver)
    #expect(accept(task.first) == .failed(ECONNABORTED))
    #expect(accept(task.first) == .parked)
  }

  @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM])
  func `rests for 100 ms when there is no descriptor left`(code: Int32) throws {
    try scripted.turn((listener.registration, .readable))
    let task = TestTask(driver)
    kernel.accepts = [-code, 20]
    #expect(accept(task.first) == .failed(code))
    let began = kernel.now
    #expect(accept(task.first) == .parked)
    try turn(until: .max)
    #expect(kernel.now == began + 100_000_000)
    #expect(task.isNext())
    #expect(accept(task.again) == .done(20))
    #expect(driver.metrics.acceptErrors == 1)
  }

  @Test func `wakes all who wait after a rest, without a new event`() throws {
    let tasks = (0..<3).map { _ in TestTask(driver) }
    for task in tasks { #expect(accept(task.first) == .parked) }
    try scripted.turn((listener.registration, .readable))
    kernel.accepts = [-EMFILE, 20, 21, 22]
    #expect(tasks[0].isNext())
    #expect(accept(tasks[0].again) == .failed(EMFILE))
    #expect(accept(tasks[0].first) == .parked)
    #expect(tasks[1].isNext())
    #expect(accept(tasks[1].again) == .parked)
    try turn(until: .max)
    var taken: [Attempt] = []
    while let woken = unsafe driver.waits.firstToRun(), taken.count < 10 {
      for task in tasks where unsafe task.waiter == woken {
        _ = task.isNext()
        let attempt = accept(task.again)
        if attempt != .parked { taken.append(attempt) }
      }
    }
    #expect(taken == [.done(20), .done(21), .done(22)])
  }

  @Test(arguments: [true, false])
  func `passes the rest on when who rests is cancelled or ends early`(cancels: Bool) throws {
    try scripted.turn((listener.registration, .readable))
    kernel.accepts = [-EMFILE, 20]
    let (first, second) = (TestTask(driver), TestTask(driver))
    #expect(accept(first.first) == .failed(EMFILE))
    #expect(accept(first.caller(.first, deadline: kernel.now + 10)) == .parked)
    #expect(accept(second.first) == .parked)
    if cancels {
      unsafe driver.waits.cancel(first.waiter)
    } else {
      try turn(until: kernel.now + 10)
    }
    #expect(first.isNext())
    #expect(accept(first.again) == .ended(cancels ? .cancelled : .timeout))
    #expect(second.isNext())
    #expect(accept(second.again) == .parked)
    try turn(until: .max)
    #expect(second.isNext())
    #expect(accept(second.again) == .done(20))
  }

  @Test func `a caller whose time is up while it has its turn gives the turn up`() throws {
    let (first, second, third) = (TestTask(driver), TestTask(driver), TestTask(driver))
    #expect(accept(first.first) == .parked)
    #expect(accept(second.caller(.first, deadline: kernel.now + 10)) == .parked)
    #expect(accept(third.first) == .parked)
    try scripted.turn((listener.registration, .readable))
    kernel.accepts = [-EMFILE, 20]
    #expect(first.isNext())
    #expect(accept(first.again) == .failed(EMFILE))
    kernel.now += 20
    #expect(second.isNext())
    #expect(accept(second.again) == .ended(.timeout))
    #expect(third.isNext())
    #expect(accept(third.again) == .parked)
    try turn(until: .max)
    #expect(third.isNext())
    #expect(accept(third.again) == .done(20))
    let isEmpty = unsafe listener.registration.io.pointee.readers.isEmpty
    #expect(isEmpty)
  }

  @Test func `a wait does not end with a timeout because another ended the rest`() throws {
    try scripted.turn((listener.registration, .readable))
    kernel.accepts = [-EMFILE, 20, 21]
    let (first, second) = (TestTask(driver), TestTask(driver))
    #expect(accept(first.first) == .failed(EMFILE))
    #expect(accept(first.first) == .parked)
    kernel.now += 100_000_000
    try turn()
    // The first was woken by its timer; somebody else comes before it runs.
    #expect(accept(second.first) == .done(20))
    #expect(first.isNext())
    #expect(accept(first.again) == .done(21))
  }

  @Test func `wakes one waiter an event, which hands on while connections are left`() throws {
    let tasks = (0..<3).map { _ in TestTask(driver) }
    for task in tasks { #expect(accept(task.first) == .parked) }
    kernel.accepts = [30, 31]
    try scripted.turn((listener.registration, .readable))
    #expect(driver.waits.wokenCount == 1)
    #expect(tasks[0].isNext())
    #expect(accept(tasks[0].again) == .done(30))
    #expect(tasks[1].isNext())
    #expect(accept(tasks[1].again) == .done(31))
    #expect(tasks[2].isNext())
    #expect(accept(tasks[2].again) == .parked)
    #expect(driver.metrics.spuriousWakeups == 1)
    listener.close()
    #expect(tasks[2].isNext())
    #expect(accept(tasks[2].again) == .ended(.closed))
    #expect(kernel.closed == [9])
  }

  @Test func `after a shutdown nobody rests or waits`() throws {
    try scripted.turn((listener.registration, .readable))
    kernel.accepts = [-EMFILE]
    let task = TestTask(driver)
    #expect(accept(task.first) == .failed(EMFILE))
    driver.shutdown()
    #expect(accept(task.first) == .ended(.shutdown))
  }
}
