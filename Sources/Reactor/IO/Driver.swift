import Glibc

/// Waits for events and for time, and knows who is to be woken. It runs nobody's code.
///
/// A turn polls the kernel once, notes what became ready, and puts those who waited for it into
/// the list of the woken, from which the owner takes them (`nextWoken()`), one by one.
///
/// A driver belongs to the thread of its first turn; only `wake()` may be called from another. A
/// debug build stops whoever breaks that, and says so. A process that fork(2) made cannot use its
/// parent's driver: turning and registering throw EBADFD there.
@safe
public final class Driver {
  public let kernel: Kernel
  package let waits = WaitTable()
  /// What the transfers of one message need, free of references to count.
  package let fastPath: UnsafeMutablePointer<FastPath>
  private let batch: EventBatch
  private static let chunkSize = 128
  @safe @exclusivity(unchecked) private var chunks: [ScheduledIOPointer] = unsafe []
  @safe @exclusivity(unchecked) private var freeSlots: [UInt32] = []
  /// Registrations whose first reader goes on after the next poll.
  @safe @exclusivity(unchecked) var breathing: [ScheduledIOPointer] = unsafe []
  /// Slots that were freed in this turn: used again after the next poll, when no event of an
  /// older batch can name them.
  @safe @exclusivity(unchecked) private var resting: [UInt32] = []
  @safe @exclusivity(unchecked) private var used: UInt32 = 0
  @safe @exclusivity(unchecked) public package(set) var metrics = Metrics()
  @safe @exclusivity(unchecked) public private(set) var isShutDown = false
  /// By descriptor: one more than the slot that the kernel's events of it name; 0 is none.
  @safe @exclusivity(unchecked) private var owners: [UInt32] = []
  /// When the last poll ended, while `measuresTime`. 0: not known.
  @safe @exclusivity(unchecked) private var pollEnded: UInt64 = 0
  /// Whether `metrics.longestTurn` is kept, which costs two readings of the clock a turn.
  @safe @exclusivity(unchecked) public var measuresTime = false {
    didSet { if measuresTime != oldValue { pollEnded = 0 } }
  }
  /// Registrations that are live.
  @safe @exclusivity(unchecked) public private(set) var registrationCount = 0

  /// Whose this driver is. 0: nobody's yet.
  @safe @exclusivity(unchecked) private var thread: pthread_t = 0

  @safe @exclusivity(unchecked) var lingering = Lingering()
  @safe @exclusivity(unchecked) var streams = StreamPool()
  /// Of the write that was just ended early.
  @safe @exclusivity(unchecked) var sentBeforeEnd = 0

  /// - Parameter batchSize: events that one turn takes at most, 1...65,536.
  public init(kernel: Kernel, batchSize: Int = 1024) {
    self.kernel = kernel
    unsafe fastPath = .allocate(capacity: 1)
    batch = EventBatch(capacity: batchSize)
    unsafe fastPath.initialize(to: FastPath(self))
  }

  deinit {
    for index in unsafe chunks.indices { unsafe chunks[index].deallocate() }
    unsafe fastPath.deallocate()
    waits.deallocate()
    streams.deallocate()
  }

  // MARK: Turning

  /// Waits for events, at most until `deadline`, and wakes those who waited for them.
  ///
  /// Returns at once when somebody is woken already. Cost: one epoll_wait(2).
  ///
  /// - Parameter deadline: monotonic nanoseconds; nil waits for events and timers only.
  /// - Throws: `SystemError` when waiting failed, which a Linux kernel does only when it is
  ///   out of memory or its descriptor was closed; EBADFD in a process that fork(2) made.
  public func turn(until deadline: UInt64? = nil) throws(SystemError) {
    if thread == 0 { claimThread() }
    assertThread()
    var limit = unsafe waits.wokenCount > 0 || !breathing.isEmpty ? 0 : deadline
    if let timer = waits.nextDeadline { limit = min(timer, limit ?? .max) }
    if lingering.count > 0 { limit = min(lingering.deadline, limit ?? .max) }
    batch.removeAll()
    if measuresTime, pollEnded != 0 {
      let now = kernel.monotonic()
      metrics.longestTurn = max(metrics.longestTurn, now - min(pollEnded, now))
    }
    let result = kernel.poll(until: limit, into: batch)
    if measuresTime { pollEnded = kernel.monotonic() }
    metrics.turns &+= 1
    var index = 0
    while index < batch.count {
      dispatch(batch[index])
      index += 1
    }
    if !resting.isEmpty {
      freeSlots.append(contentsOf: resting)
      resting.removeAll(keepingCapacity: true)
    }
    if waits.timerCount > 0 { waits.expire(now: kernel.monotonic()) }
    if unsafe !breathing.isEmpty { endBreaths() }
    if lingering.count > 0 { goOnLingering() }
    if result < 0 { throw SystemError(result, in: Self.call("epoll_wait", result)) }
  }

  /// Makes the calling thread the driver's. The thread that had it before must not use it any
  /// more, and must have said so to this one: by being joined, or through a lock.
  public func claimThread() { thread = pthread_self() }

  /// Stops a debug build in which another thread comes in between. A release build does not look.
  @inline(__always)
  func assertThread() {
    assert(
      thread == 0 || pthread_equal(thread, pthread_self()) != 0,
      "a driver belongs to one thread: call from that of its first turn, or claimThread() first")
  }

  /// The name of a call that failed, as a person should read it.
  private static func call(_ name: StaticString, _ result: Int32) -> StaticString {
    result == -EBADFD ? "use of a driver after fork" : name
  }

  private func endBreaths() {
    for index in unsafe breathing.indices { unsafe waits.endRest(readers(of: breathing[index])) }
    unsafe breathing.removeAll(keepingCapacity: true)
  }

  /// Makes a turn that waits in another thread return. The only call for other threads.
  public nonisolated func wake() { kernel.wake() }

  private func dispatch(_ event: KernelEvent) {
    let token = Token(rawValue: event.token)
    guard token.slot < used, case let io = unsafe pointer(token.slot),
      unsafe io.pointee.generation == token.generation, unsafe io.pointee.traits.contains(.live)
    else { return dispatchLate(token) }
    metrics.readyEvents &+= 1
    unsafe io.pointee.ready.formUnion(event.ready)
    if !event.ready.isDisjoint(with: .readReport) {
      unsafe io.pointee.readGeneration &+= 1
      if unsafe !io.pointee.readers.isEmpty, !event.ready.isDisjoint(with: .readSide) {
        unsafe waits.grant(readers(of: io))
      }
    }
    if !event.ready.isDisjoint(with: .writeSide) {
      unsafe io.pointee.writeGeneration &+= 1
      if unsafe !io.pointee.writers.isEmpty { unsafe waits.grant(writers(of: io)) }
    }
    if unsafe !io.pointee.watchers.isEmpty {
      unsafe waits.wakeMatching(watchers(of: io), io.pointee.ready)
    }
  }

  /// An event of a registration that was ended.
  private func dispatchLate(_ token: Token) {
    guard token.slot < used, case let io = unsafe pointer(token.slot),
      unsafe io.pointee.generation == token.generation,
      unsafe io.pointee.traits.contains(.lingering)
    else {
      metrics.staleEvents &+= 1
      return
    }
    unsafe lingering.noteEvent(io)
  }

  // MARK: Registering

  /// Registers a descriptor for edge-triggered events, and makes it non-blocking.
  ///
  /// A regular file cannot be waited for: it is registered as always ready. Cost: an fstat(2),
  /// an fcntl(2) where it was blocking, and one epoll_ctl(2); none later for any wait.
  ///
  /// - Throws: `SystemError`: EBADF (not open), EEXIST (registered already), ENOSPC, ENOMEM,
  ///   ECANCELED (the driver has shut down), EBADFD (this process got the driver by fork(2)).
  public func register(_ fd: Int32, _ interest: Interest) throws(SystemError) -> Registration {
    var kind = DescriptorKind.other
    let known = kernel.kind(fd, &kind)
    if known < 0 { throw SystemError(known, in: "register") }
    let blocking = kernel.setNonBlocking(fd)
    if blocking < 0 { throw SystemError(blocking, in: "register") }
    var traits: ScheduledIO.Traits = []
    if kind.shortReadMeansEmpty { traits.insert(.shortReadMeansEmpty) }
    if kind.shortWriteMeansFull { traits.insert(.shortWriteMeansFull) }
    return try register(fd, interest, traits)
  }

  /// Registers a descriptor that is known to be non-blocking.
  package func register(
    _ fd: Int32, _ interest: Interest, _ traits: ScheduledIO.Traits
  ) throws(SystemError) -> Registration {
    assertThread()
    if isShutDown { throw SystemError(ECANCELED, in: "register") }
    let io = unsafe takeSlot()
    unsafe io.pointee.fd = fd
    unsafe io.pointee.interest = interest
    unsafe io.pointee.traits = traits.union(.live)
    let result = unsafe kernel.register(fd, interest, token: io.pointee.token.rawValue)
    if result == -EPERM {
      unsafe io.pointee.traits = [.live, .alwaysReady]
      unsafe io.pointee.ready = [.readable, .writable]
    } else if result < 0 {
      unsafe freeSlot(io)
      throw SystemError(result, in: Self.call("register", result))
    }
    unsafe claim(io)
    metrics.registered &+= 1
    registrationCount += 1
    return unsafe Registration(driver: self, io: io, generation: io.pointee.generation)
  }

  /// Notes whose a descriptor is. That the kernel took it although another registration has the
  /// number shows that the other's descriptor was closed behind its back: its waits end.
  private func claim(_ io: ScheduledIOPointer) {
    let number = unsafe Int(io.pointee.fd)
    if number >= owners.count {
      owners.append(contentsOf: repeatElement(0, count: max(64, number + 1)))
    }
    if owners[number] != 0, case let other = unsafe pointer(owners[number] - 1) {
      unsafe other.pointee.traits.insert(.lost)
      unsafe other.pointee.ready = []
      unsafe other.pointee.fd = -1
      unsafe wakeEverybody(on: other, .closed)
    }
    let isReported = unsafe !io.pointee.traits.contains(.alwaysReady)
    owners[number] = unsafe isReported ? io.pointee.slot + 1 : 0
  }

  /// Registers something that has no descriptor: its readiness is a completion that the kernel
  /// reports with the token.
  package func registerCompletion() throws(SystemError) -> Registration {
    if isShutDown { throw SystemError(ECANCELED, in: "register") }
    let io = unsafe takeSlot()
    unsafe io.pointee.fd = -1
    unsafe io.pointee.interest = .read
    unsafe io.pointee.traits = [.live]
    registrationCount += 1
    metrics.registered &+= 1
    return unsafe Registration(driver: self, io: io, generation: io.pointee.generation)
  }

  /// Ends a registration: no event reaches it any more, and all who wait on it are woken.
  /// The books are kept whatever the kernel says.
  package func deregister(_ io: ScheduledIOPointer) -> Int32 {
    let result = unsafe silence(io)
    unsafe endWaits(of: io, [])
    unsafe freeSlot(io)
    return result
  }

  /// Ends a registration and closes its descriptor; not a number that names something else now.
  package func close(_ io: ScheduledIOPointer) {
    unsafe endWaits(of: io, [])
    unsafe closeEnded(io)
  }

  /// Closes the descriptor of a registration whose waits have ended.
  func closeEnded(_ io: ScheduledIOPointer) {
    let fd = unsafe io.pointee.fd
    _ = unsafe silence(io)
    unsafe freeSlot(io)
    if fd >= 0 { _ = kernel.close(fd) }
  }

  /// Wakes all who wait on a registration, and lets nobody wait on it any more.
  func endWaits(of io: ScheduledIOPointer, _ traits: ScheduledIO.Traits) {
    assertThread()
    unsafe io.pointee.traits = traits
    unsafe wakeEverybody(on: io, .closed)
    registrationCount -= 1
    metrics.deregistered &+= 1
  }

  /// Stops the events of a registration, if they are still its own.
  private func silence(_ io: ScheduledIOPointer) -> Int32 {
    let number = unsafe Int(io.pointee.fd)
    guard number >= 0, unsafe owners[number] == io.pointee.slot + 1 else { return 0 }
    owners[number] = 0
    return unsafe kernel.deregister(io.pointee.fd)
  }

  private func wakeEverybody(on io: ScheduledIOPointer, _ reason: WakeReason) {
    unsafe waits.wakeAll(readers(of: io), reason)
    unsafe waits.wakeAll(writers(of: io), reason)
    unsafe waits.wakeAll(watchers(of: io), reason)
  }

  /// Wakes every waiter with `.shutdown`, those on registrations first; from now on nothing
  /// registers and every wait ends at once. Calling it again does nothing.
  public func shutdown() {
    assertThread()
    guard !isShutDown else { return }
    isShutDown = true
    var slot: UInt32 = 0
    while slot < used {
      let io = unsafe pointer(slot)
      if unsafe io.pointee.traits.contains(.live) {
        unsafe io.pointee.traits.insert(.shutdown)
        unsafe wakeEverybody(on: io, .shutdown)
      }
      slot += 1
    }
    waits.wakeEverybody(.shutdown)
    kernel.restore()
  }

  // MARK: Slots

  private func pointer(_ slot: UInt32) -> ScheduledIOPointer {
    unsafe chunks[Int(slot) / Self.chunkSize] + Int(slot) % Self.chunkSize
  }

  private func takeSlot() -> ScheduledIOPointer {
    if let slot = freeSlots.popLast() { return unsafe pointer(slot) }
    if Int(used) % Self.chunkSize == 0 { unsafe chunks.append(.allocate(capacity: Self.chunkSize)) }
    let io = unsafe pointer(used)
    unsafe io.initialize(to: ScheduledIO(slot: used))
    used += 1
    return unsafe io
  }

  private func freeSlot(_ io: ScheduledIOPointer) {
    unsafe io.pointee.generation &+= 1
    unsafe io.pointee.fd = -1
    unsafe io.pointee.ready = []
    unsafe io.pointee.traits = []
    unsafe resting.append(io.pointee.slot)
  }

  // The address of a stored property of a slot is as lasting as the slot.
  package func readers(of io: ScheduledIOPointer) -> WaitQueuePointer {
    unsafe withUnsafeMutablePointer(to: &io.pointee.readers) { unsafe $0 }
  }

  package func writers(of io: ScheduledIOPointer) -> WaitQueuePointer {
    unsafe withUnsafeMutablePointer(to: &io.pointee.writers) { unsafe $0 }
  }

  package func watchers(of io: ScheduledIOPointer) -> WaitQueuePointer {
    unsafe withUnsafeMutablePointer(to: &io.pointee.watchers) { unsafe $0 }
  }
}
