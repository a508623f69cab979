import Glibc
import Testing

@testable import Reactor

@safe
@Suite(.timeLimit(.minutes(1))) struct `A stream on a scripted kernel` {
  private let scripted = ScriptedDriver()
  private let registration: Registration
  private let stream: StreamPointer
  private var kernel: ScriptedKernel { scripted.kernel }
  private var driver: Driver { scripted.driver }

  init() throws {
    scripted.kernel.kinds[9] = .streamSocket
    registration = try scripted.register(9)
    unsafe stream = scripted.driver.makeStream(registration, .socket)
  }

  private func send(_ text: String, _ caller: Caller) -> Attempt {
    unsafe [UInt8](text.utf8).withUnsafeBytes { unsafe driver.send(stream, $0, caller) }
  }

  private func receive(_ count: Int, _ caller: Caller) -> Attempt {
    var room = [UInt8](repeating: 0, count: count)
    return unsafe room.withUnsafeMutableBytes { unsafe driver.receive(stream, $0, caller) }
  }

  private func texts() -> [String] {
    kernel.sent.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `a writer that gives up behind another does not repeat the other's bytes`() throws {
    let (first, second) = (TestTask(driver), TestTask(driver))
    try scripted.turn((registration, .writable))
    kernel.sends = [4, 6]
    #expect(send("0123456789", first.first) == .parked)
    #expect(send("abc", second.caller(.first, deadline: kernel.now + 5)) == .parked)
    try driver.turn(until: kernel.now + 5)
    #expect(second.isNext())
    #expect(send("abc", second.again) == .ended(.timeout))
    #expect(driver.takeSentBeforeEnd() == 0)
    try scripted.turn((registration, .writable))
    #expect(first.isNext())
    #expect(send("0123456789", first.again) == .done(10))
    #expect(texts() == ["0123456789", "456789"])
  }

  @Test func `a write that ends in its middle tells how much went out`() throws {
    let task = TestTask(driver)
    try scripted.turn((registration, .writable))
    kernel.sends = [4, 3]
    #expect(send("0123456789", task.caller(.first, deadline: kernel.now + 5)) == .parked)
    try scripted.turn((registration, .writable))
    #expect(task.isNext())
    #expect(send("0123456789", task.again) == .parked)
    try driver.turn(until: kernel.now + 5)
    #expect(task.isNext())
    #expect(send("0123456789", task.again) == .ended(.timeout))
    #expect(driver.takeSentBeforeEnd() == 7)
    // The next write begins at its own beginning.
    try scripted.turn((registration, .writable))
    kernel.sends = [3]
    #expect(send("abc", task.first) == .done(3))
    #expect(texts().last == "abc")
  }

  @Test func `shutting the write side down ends the writes that wait`() throws {
    let (first, second) = (TestTask(driver), TestTask(driver))
    try scripted.turn((registration, .writable))
    #expect(send("abc", first.first) == .parked)
    #expect(send("def", second.first) == .parked)
    _ = unsafe driver.shutdownWrite(stream)
    #expect(first.isNext())
    #expect(second.isNext())
    #expect(send("abc", first.again) == .ended(.closed))
    #expect(send("def", second.again) == .ended(.closed))
    #expect(unsafe registration.io.pointee.writers.isEmpty)
  }

  @Test func `a short read of a plain stream saves the read that would find nothing`() throws {
    let task = TestTask(driver)
    try scripted.turn((registration, .readable))
    kernel.receives = [5]
    #expect(receive(64, task.first) == .done(5))
    // No receive is left in the script: one more call of the kernel would be seen.
    kernel.receives = [99]
    #expect(receive(64, task.first) == .parked)
    #expect(kernel.receives == [99])
  }

  @Test func `an end that was found is found again, before its event is heard`() throws {
    let task = TestTask(driver)
    try scripted.turn((registration, .readable))
    kernel.receives = [5, 0, 0]
    #expect(receive(64, task.first) == .done(5))
    // A call that goes on with its turn asks once more, and hears of the end by that.
    #expect(receive(64, task.caller(.ready)) == .done(0))
    #expect(receive(64, task.caller(.first, deadline: 0)) == .done(0))
  }

  @Test(arguments: [Ready.readClosed, .error])
  func `after a short read the end or an error is still found`(end: Ready) throws {
    let task = TestTask(driver)
    try scripted.turn((registration, [.readable, end]))
    kernel.receives = [5, 0]
    #expect(receive(64, task.first) == .done(5))
    #expect(receive(64, task.first) == .done(0))
    #expect(receive(64, task.first) == .parked)
  }

  @Test func `a short read at urgent data concludes nothing`() throws {
    let task = TestTask(driver)
    try scripted.turn((registration, [.readable, .priority]))
    kernel.receives = [3, 3]
    #expect(receive(64, task.first) == .done(3))
    #expect(receive(64, task.first) == .done(3))
    #expect(receive(64, task.first) == .parked)
  }

  @Test func `a short read of a Unix stream concludes nothing`() throws {
    let other = try scripted.register(10)
    let task = TestTask(driver)
    try scripted.turn((other, .readable))
    let first = other.attempt(.read, wanted: 64, task.first) { _ in 3 }
    #expect(first == .done(3))
    #expect(other.readyEvent(.read) != nil)
  }

  @Test func `a reader that comes while another has its turn waits behind it`() throws {
    let (first, second) = (TestTask(driver), TestTask(driver))
    #expect(receive(64, first.first) == .parked)
    try scripted.turn((registration, .readable))
    kernel.receives = [64, 7]
    #expect(receive(64, second.first) == .parked)
    #expect(first.isNext())
    #expect(receive(64, first.again) == .done(64))
    #expect(second.isNext())
    #expect(receive(64, second.again) == .done(7))
  }
}
