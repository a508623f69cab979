import Reactor

/// The reactor without Lua: a pipe, a pair of sockets and a timer in one loop, which is ours.
@main
final class Show {
  /// A descriptor that is read, and who waits for it.
  struct Source {
    let name: String
    let registration: Registration
    let waiter: WaiterID
  }

  static func main() throws { try Show().run() }

  private let driver: Driver
  private let kernel: Kernel
  private let began: UInt64
  private var sources: [Source] = []
  private var sinks: [Int32] = []
  private let timer: WaiterID
  private let tick: UInt64 = 200_000_000  // nanoseconds
  private var ticks: UInt64 = 0

  private init() throws {
    kernel = try LinuxKernel()
    driver = Driver(kernel: kernel)
    began = kernel.monotonic()
    timer = driver.makeWaiter()
  }

  private func run() throws {
    try open()
    for source in sources where !listen(source) { forget(source) }
    _ = driver.sleep(timer, until: began + tick)
    while ticks < 4 || !sources.isEmpty {
      try driver.turn()  // waits until something is ready, or for the next deadline
      while let (waiter, reason) = driver.nextWoken() {
        if waiter == timer { onTick() }
        for source in sources where source.waiter == waiter {
          // After .ready the call goes on where it was; any other reason has ended the wait.
          if reason != .ready { say("\(source.name): the wait ended, \(reason)") }
          if reason != .ready || !listen(source) { forget(source) }
        }
      }
    }
    for fd in sinks { _ = kernel.close(fd) }
    driver.freeWaiter(timer)
    say("done in \(driver.metrics.turns) turns; \(driver.registrationCount) registrations left")
  }

  private func open() throws {
    var (out, `in`, left, right): (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)
    let pipe = kernel.pipe(&out, &`in`)
    if pipe < 0 { throw SystemError(pipe, in: "pipe") }
    let pair = kernel.socketPair(1, 1, 0, &left, &right)  // AF_UNIX, SOCK_STREAM
    if pair < 0 { throw SystemError(pair, in: "socketpair") }
    sinks = [`in`, left]
    for (name, fd) in [("pipe", out), ("socket", right)] {
      let registration = try driver.register(fd, .read)
      let waiter = driver.makeWaiter()
      sources.append(Source(name: name, registration: registration, waiter: waiter))
    }
  }

  /// Reads what there is. False when nothing more will come.
  private func listen(_ source: Source) -> Bool {
    var bytes = [UInt8](repeating: 0, count: 512)
    while true {
      let poll = source.registration.readIO(source.waiter) { fd in
        bytes.withUnsafeMutableBytes { kernel.read(fd, $0) }
      }
      switch poll {
      case .ready(0):
        say("\(source.name): end of file")
        return false
      case .ready(let count):
        say("\(source.name): got \"\(String(decoding: bytes[..<count], as: UTF8.self))\"")
      case .pending:  // the waiter is in the queue: the loop hears of it
        return true
      case .failed(let error):
        say("\(source.name): \(error)")
        return false
      case .ended(let reason):
        say("\(source.name): ended, \(reason)")
        return false
      }
    }
  }

  /// A registration never closes its descriptor: that stays with whoever opened it.
  private func forget(_ source: Source) {
    let fd = source.registration.fd
    source.registration.deregister()
    if fd >= 0 { _ = kernel.close(fd) }
    driver.freeWaiter(source.waiter)
    sources.removeAll { $0.waiter == source.waiter }
  }

  /// Writes to both, three times; then closes the one and cancels whoever waits on the other.
  private func onTick() {
    ticks += 1
    guard ticks < 4 else {
      say("timer: closes the pipe, and cancels the wait on the socket")
      _ = kernel.close(sinks.removeFirst())
      if let socket = sources.last { driver.cancel(socket.waiter) }
      return
    }
    say("timer: tick \(ticks)")
    for fd in sinks {
      _ = Array("message \(ticks)".utf8).withUnsafeBytes { kernel.write(fd, $0) }
    }
    _ = driver.sleep(timer, until: began + (ticks + 1) * tick)
  }

  private func say(_ text: String) {
    print("\((kernel.monotonic() - began) / 1_000_000) ms  \(text)")
  }
}
