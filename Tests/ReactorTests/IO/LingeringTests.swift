import Glibc
import Testing

@testable import Reactor

@safe
@Suite(.timeLimit(.minutes(1))) struct `A connection that is closed with input unread` {
  private let scripted = ScriptedDriver()
  private let registration: Registration
  private let stream: StreamPointer
  private var kernel: ScriptedKernel { scripted.kernel }
  private var driver: Driver { scripted.driver }
  private let began: UInt64

  init() throws {
    registration = try scripted.register(9)
    unsafe stream = scripted.driver.makeStream(registration, .socket)
    began = scripted.kernel.now
  }

  private func close(_ receives: Int...) {
    kernel.receives = receives
    unsafe driver.close(stream)
  }

  private func hear(_ receives: Int...) throws {
    kernel.receives = receives
    try scripted.turn((registration, .readable))
  }

  @Test func `is closed at once when there is none`() {
    close(-Int(EAGAIN))
    #expect(kernel.closed == [9] && kernel.shutdowns.isEmpty)
    #expect(driver.lingeringCount == 0 && driver.registrationCount == 0)
  }

  @Test(arguments: [0, -Int(ECONNRESET)])
  func `is closed at once when the peer has ended`(answer: Int) {
    close(100, answer)
    #expect(kernel.closed == [9] && kernel.shutdowns.isEmpty)
  }

  @Test func `ends its writing, and waits for the peer to end`() throws {
    close(100)
    #expect(kernel.closed.isEmpty && kernel.shutdowns == [9])
    #expect(driver.lingeringCount == 1 && driver.registrationCount == 0)
    try hear(50, 60)
    #expect(kernel.closed.isEmpty)
    try hear(70, 0)
    #expect(kernel.closed == [9] && kernel.deregistered == [9])
    #expect(driver.lingeringCount == 0)
    #expect(driver.metrics.deregistered == 1 && driver.metrics.staleEvents == 0)
    // Its slot is free again, and an event that is late finds nobody.
    try hear()
    #expect(driver.metrics.staleEvents == 1)
  }

  @Test func `lingers for bytes that only the buffer has, too`() throws {
    unsafe stream.pointee.buffer.append([1, 2, 3].withUnsafeBytes { unsafe $0 })
    close()
    #expect(driver.lingeringCount == 1 && kernel.shutdowns == [9])
  }

  @Test func `wakes those who wait on it at once`() throws {
    let reader = TestTask(driver)
    #expect(registration.attempt(.read, wanted: 1, reader.first) { _ in 1 } == .parked)
    close(100)
    #expect(reader.isNext())
    #expect(reader.again.reason == .closed)
  }

  @Test func `is closed when the peer is silent for two seconds`() throws {
    close(100)
    try driver.turn()
    #expect(kernel.now == began + 2_000_000_000)
    #expect(kernel.closed == [9] && driver.lingeringCount == 0)
  }

  @Test func `is closed after thirty seconds whatever the peer does`() throws {
    close(100)
    while driver.lingeringCount > 0, kernel.now < began + 60_000_000_000 {
      kernel.now += 1_000_000_000
      try hear(1)
    }
    #expect(kernel.now >= began + 30_000_000_000 && kernel.now <= began + 32_000_000_000)
    #expect(kernel.closed == [9])
  }

  @Test func `takes a megabyte a turn, and goes on without an event`() throws {
    kernel.receives = Array(repeating: 65_536, count: 20)
    unsafe driver.close(stream)
    #expect(kernel.receives.count == 4)
    try driver.turn()
    #expect(kernel.now == began && kernel.receives.isEmpty)
    #expect(driver.lingeringCount == 1)
  }

  @Test func `does not close a number that became somebody else's`() throws {
    close(100)
    let other = try scripted.register(9)
    try driver.turn(until: kernel.now + 3_000_000_000)
    #expect(driver.lingeringCount == 0)
    #expect(kernel.closed.isEmpty && kernel.deregistered.isEmpty)
    #expect(other.isLive)
  }

  @Test func `keeps nobody from shutting down, and is closed with the driver`() throws {
    close(100)
    driver.shutdown()
    #expect(driver.lingeringCount == 1)
    driver.lingerOut(1_000_000_000)
    #expect(kernel.closed == [9] && driver.lingeringCount == 0)
    #expect(kernel.now == began + 1_000_000_000)
  }

  @Test func `does not hold up the end on a kernel whose time stands still`() throws {
    kernel.timeStandsStill = true
    close(100)
    driver.lingerOut(1_000_000_000)
    #expect(kernel.closed == [9] && kernel.now == began)
  }

  @Test func `comes and goes many times, in any order`() throws {
    unsafe driver.close(stream)
    var open: [Registration] = []
    for fd: Int32 in 100..<400 {
      let next = try scripted.register(fd)
      kernel.receives = [1]
      unsafe driver.close(driver.makeStream(next, .socket))
      kernel.now += 1_000_000
      open.append(next)
    }
    // Every other peer ends, the rest is silent.
    for (index, registration) in open.enumerated() where index % 2 == 0 {
      kernel.receives = [0]
      try scripted.turn((registration, .readClosed))
    }
    #expect(driver.lingeringCount == 150)
    while driver.lingeringCount > 0 { try driver.turn() }
    #expect(kernel.closed.count == 301)
    #expect(Set(kernel.closed).count == 301)
  }
}
