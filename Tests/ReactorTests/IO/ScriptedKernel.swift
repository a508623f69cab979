import Glibc

@testable import Reactor

/// A kernel whose events, errors and time are what a test says.
final class ScriptedKernel: Kernel {
  /// Monotonic nanoseconds. A poll that has nothing to report moves it to its deadline.
  var now: UInt64 = 1_000
  /// What the next polls report, one batch each.
  var batches: [[KernelEvent]] = []
  /// The deadlines that polls were given.
  var deadlines: [UInt64?] = []
  /// Tokens of the descriptors that are registered.
  var tokens: [Int32: UInt64] = [:]
  /// What register and deregister answer, first ones first; 0 when there is none left.
  var registerResults: [Int32] = []
  var deregisterResults: [Int32] = []
  var deregistered: [Int32] = []
  /// What accept, poll, receive and send answer; `-EAGAIN` (poll: 0) when there is none left.
  var accepts: [Int32] = []
  var pollResults: [Int32] = []
  var receives: [Int] = []
  var sends: [Int] = []
  /// The bytes that each send was given.
  var sent: [[UInt8]] = []
  var closed: [Int32] = []
  var shutdowns: [Int32] = []
  /// Whether a poll returns at once although it was to wait.
  var timeStandsStill = false
  var kinds: [Int32: DescriptorKind] = [:]

  override func monotonic() -> UInt64 { now }

  override func poll(until deadline: UInt64?, into batch: EventBatch) -> Int32 {
    deadlines.append(deadline)
    if batches.isEmpty {
      if let deadline, !timeStandsStill { now = max(now, deadline) }
    } else {
      for event in batches.removeFirst() { batch.append(event) }
    }
    return pollResults.isEmpty ? 0 : pollResults.removeFirst()
  }

  override func register(_ fd: Int32, _ interest: Interest, token: UInt64) -> Int32 {
    let result = registerResults.isEmpty ? 0 : registerResults.removeFirst()
    if result == 0 { tokens[fd] = token }
    return result
  }

  override func deregister(_ fd: Int32) -> Int32 {
    deregistered.append(fd)
    tokens[fd] = nil
    return deregisterResults.isEmpty ? 0 : deregisterResults.removeFirst()
  }

  override func kind(_ fd: Int32, _ kind: inout DescriptorKind) -> Int32 {
    kind = kinds[fd] ?? .unixStreamSocket
    return 0
  }

  override func setNonBlocking(_ fd: Int32) -> Int32 { 0 }

  override func accept(_ fd: Int32, _ peer: inout SocketAddress) -> Int32 {
    accepts.isEmpty ? -EAGAIN : accepts.removeFirst()
  }

  override func receive(
    _ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer, flags: Int32
  ) -> Int {
    receives.isEmpty ? -Int(EAGAIN) : receives.removeFirst()
  }

  override func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer, flags: Int32) -> Int {
    sent.append(unsafe [UInt8](bytes))
    return sends.isEmpty ? -Int(EAGAIN) : sends.removeFirst()
  }

  override func shutdown(_ fd: Int32, how: Int32) -> Int32 {
    shutdowns.append(fd)
    return 0
  }

  override func close(_ fd: Int32) -> Int32 {
    closed.append(fd)
    return 0
  }
}

/// A driver on a scripted kernel.
struct ScriptedDriver {
  let kernel = ScriptedKernel()
  let driver: Driver

  init() { driver = Driver(kernel: kernel) }

  func register(_ fd: Int32, _ interest: Interest = [.read, .write]) throws -> Registration {
    try driver.register(fd, interest)
  }

  /// One turn in which the kernel reports `events`.
  func turn(_ events: (Registration, Ready)...) throws {
    try report(events.map { KernelEvent(token: $0.0.token, ready: $0.1) })
  }

  func report(_ events: [KernelEvent]) throws {
    kernel.batches = [events]
    try driver.turn(until: 0)
  }

  /// Those who were woken, in order, with their reasons.
  func woken() -> [(WaiterID, WakeReason)] {
    var all: [(WaiterID, WakeReason)] = []
    while let next = driver.nextWoken() { all.append(next) }
    return all
  }

  func wokenIDs() -> [WaiterID] { woken().map { $0.0 } }
  func reasons() -> [WakeReason] { woken().map { $0.1 } }
}

/// A task as the calls of the floor above see it: who it is, and why it runs.
@safe
struct TestTask {
  let waiter: WaiterPointer
  let waits: WaitTable

  init(_ driver: Driver) {
    waits = driver.waits
    unsafe waiter = driver.waits.makeWaiter(tag: 1)
  }

  func caller(_ reason: WakeReason, deadline: UInt64 = .max) -> Caller {
    unsafe Caller(waiter: waiter, reason: reason, deadline: deadline)
  }

  var first: Caller { caller(.first) }
  var again: Caller { unsafe caller(waiter.pointee.reason) }

  /// Whether this one was woken first; takes it out of the list.
  func isNext() -> Bool {
    guard unsafe waits.firstToRun() == waiter else { return false }
    return unsafe waits.nextWoken() == waiter
  }
}

extension Attempt: Equatable {
  public static func == (left: Attempt, right: Attempt) -> Bool {
    switch (left, right) {
    case (.done(let one), .done(let other)): one == other
    case (.parked, .parked): true
    case (.failed(let one), .failed(let other)): one == other
    case (.ended(let one), .ended(let other)): one == other
    default: false
    }
  }
}
