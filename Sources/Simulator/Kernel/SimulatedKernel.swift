import Glibc
import Reactor

/// The kernel of a process on a node of a simulated world.
///
/// It answers as Linux does, but everything that it tells of is the world's: time, entropy, the
/// network, names. `poll(until:into:)` never waits: it takes what is there, notes the deadline and
/// returns, and the world calls the process again when something has come or the time has.
///
/// A kernel whose process was killed answers `-EBADF` to everything that takes a descriptor.
@safe
public final class SimulatedKernel: Kernel {
  /// nil after the process has ended.
  @safe @exclusivity(unchecked) private(set) var node: Node?
  @safe @exclusivity(unchecked) var descriptors = DescriptorTable()
  @safe @exclusivity(unchecked) private var pending = PendingFiles()
  @safe @exclusivity(unchecked) private var jobs = FileJobs()
  /// When the process wants to run again, as a moment of the world; set by each poll.
  @safe @exclusivity(unchecked) private var deadline: UInt64 = 0
  /// The same in its monotonic time; nil: without a deadline, or at once.
  @safe @exclusivity(unchecked) private var monotonicDeadline: UInt64?
  @safe @exclusivity(unchecked) private var lookups = Lookups()
  @safe @exclusivity(unchecked) private var entropySource: RandomStream

  init(node: Node) {
    self.node = node
    entropySource = RandomStream(seed: node.world.seed, .entropy, from: UInt64(node.index))
    super.init()
    for fd: Int32 in 0...2 { _ = descriptors.insert(StandardStream(node: node, fd: fd)) }
  }

  /// Ends the process: closes every descriptor.
  func exit() {
    for fd in descriptors.numbers { _ = close(fd) }
    pending.removeAll()
    node = nil
  }

  /// Ends the process without a word: its node has lost its power.
  func vanish() {
    for fd in descriptors.numbers {
      descriptors.remove(fd)?.forget()
    }
    pending.removeAll()
    node = nil
  }

  // MARK: Clocks and entropy

  public override func monotonic() -> UInt64 {
    guard let node else { return 0 }
    return node.clock.monotonic(at: node.present)
  }

  public override func wall() -> Int64 {
    guard let node else { return 0 }
    return node.clock.wall(at: node.present)
  }

  public override func processorTime() -> UInt64 { node?.processorTime ?? 0 }

  public override func entropy(_ buffer: UnsafeMutableRawBufferPointer) {
    unsafe entropySource.fill(buffer)
  }

  // MARK: Waiting

  /// When the process has to run again; 0: at once.
  var nextTurn: UInt64 {
    pending.isEmpty ? min(deadline, lookups.nextReady, jobs.nextReady) : 0
  }

  func addPending(_ file: OpenFile) {
    pending.append(file)
    node?.mark()
  }

  public override func poll(until deadline: UInt64?, into batch: EventBatch) -> Int32 {
    batch.removeAll()
    guard let node else { return -EBADF }
    pending.report(into: batch)
    lookups.announce(into: batch, at: node.present)
    finishJobs(into: batch)
    self.deadline = deadline.map { node.clock.moment(ofMonotonic: $0) } ?? .max
    monotonicDeadline = deadline
    if batch.count > 0 { (self.deadline, monotonicDeadline) = (0, nil) }
    return 0
  }

  /// The noted deadline as a moment of the world, after the clock has changed its pace.
  var driftedDeadline: UInt64 {
    if let node, let monotonicDeadline {
      deadline = node.clock.moment(ofMonotonic: monotonicDeadline)
    }
    return deadline
  }

  public override func register(_ fd: Int32, _ interest: Interest, token: UInt64) -> Int32 {
    guard let file = descriptors[fd] else { return -EBADF }
    if file.kind == .regularFile || file.kind == .directory { return -EPERM }
    let events = PollEvents(rawValue: interest.epollEvents).intersection(.all)
    return file.addWatch(OpenFile.Watch(fd: fd, token: token, events: events))
  }

  public override func deregister(_ fd: Int32) -> Int32 {
    descriptors[fd]?.removeWatch(of: fd) ?? -EBADF
  }

  // MARK: Descriptors

  /// Gives a new file the lowest free number.
  func open(_ file: OpenFile) -> Int32 {
    let fd = descriptors.insert(file)
    if fd < 0, file.references == 0 { file.close() }
    return fd
  }

  public override func close(_ fd: Int32) -> Int32 {
    guard let file = descriptors.remove(fd) else { return -EBADF }
    file.release()
    return 0
  }

  public override func duplicate(_ fd: Int32) -> Int32 {
    guard let file = descriptors[fd] else { return -EBADF }
    return descriptors.insert(file)
  }

  public override func kind(_ fd: Int32, _ kind: inout DescriptorKind) -> Int32 {
    guard let file = descriptors[fd] else { return -EBADF }
    kind = file.kind
    return 0
  }

  public override func setNonBlocking(_ fd: Int32) -> Int32 { descriptors[fd] == nil ? -EBADF : 0 }

  // MARK: Sockets

  public override func socket(
    _ family: Int32, _ kind: Int32, _ protocolNumber: Int32
  ) -> Int32 {
    guard let node else { return -EBADF }
    let type = kind & 0xF
    switch (family, type) {
    case (AF_INET, SocketType.datagram), (AF_INET6, SocketType.datagram):
      guard protocolNumber == 0 || protocolNumber == IPPROTO_UDP else { return -EPROTONOSUPPORT }
      return open(UDPSocket(node: node, isIPv6: family == AF_INET6))
    case (AF_INET, SocketType.stream), (AF_INET6, SocketType.stream):
      guard protocolNumber == 0 || protocolNumber == IPPROTO_TCP else { return -EPROTONOSUPPORT }
      return open(TCPSocket(node: node, isIPv6: family == AF_INET6))
    case (AF_INET, _), (AF_INET6, _): return -ESOCKTNOSUPPORT
    case (AF_UNIX, SocketType.stream), (AF_UNIX, SocketType.datagram),
      (AF_UNIX, SocketType.seqpacket):
      return open(UnixSocket(node: node, type: type))
    case (AF_UNIX, _): return -ESOCKTNOSUPPORT
    default: return -EAFNOSUPPORT
    }
  }

  public override func socketPair(
    _ family: Int32, _ kind: Int32, _ protocolNumber: Int32, _ first: inout Int32,
    _ second: inout Int32
  ) -> Int32 {
    guard let node else { return -EBADF }
    let type = kind & 0xF
    guard family == AF_UNIX else {
      return [AF_INET, AF_INET6].contains(family) ? -EOPNOTSUPP : -EAFNOSUPPORT
    }
    guard [SocketType.stream, SocketType.datagram, SocketType.seqpacket].contains(type) else {
      return -ESOCKTNOSUPPORT
    }
    let (one, other) = UnixSocket.pair(node: node, type: type)
    return open(one, other, &first, &second)
  }

  public override func pipe(_ readEnd: inout Int32, _ writeEnd: inout Int32) -> Int32 {
    guard let node else { return -EBADF }
    let (reader, writer) = PipeEnd.pair(node: node)
    return open(reader, writer, &readEnd, &writeEnd)
  }

  /// Gives two new files their numbers, or none.
  private func open(
    _ one: OpenFile, _ other: OpenFile, _ first: inout Int32, _ second: inout Int32
  ) -> Int32 {
    let numbers = (open(one), open(other))
    guard numbers.0 >= 0, numbers.1 >= 0 else {
      if numbers.0 >= 0 { _ = close(numbers.0) }
      return -EMFILE
    }
    (first, second) = numbers
    return 0
  }

  public override func bind(_ fd: Int32, _ address: borrowing SocketAddress) -> Int32 {
    descriptors[fd]?.bind(address) ?? -EBADF
  }

  public override func listen(_ fd: Int32, backlog: Int32) -> Int32 {
    descriptors[fd]?.listen(backlog: backlog) ?? -EBADF
  }

  public override func accept(_ fd: Int32, _ peer: inout SocketAddress) -> Int32 {
    guard let file = descriptors[fd] else { return -EBADF }
    var result: Int32 = 0
    guard let connection = file.accept(&peer, &result) else { return result }
    return open(connection)
  }

  public override func connect(_ fd: Int32, _ address: borrowing SocketAddress) -> Int32 {
    descriptors[fd]?.connect(address) ?? -EBADF
  }

  public override func shutdown(_ fd: Int32, how: Int32) -> Int32 {
    descriptors[fd]?.shutdown(how: how) ?? -EBADF
  }

  public override func localAddress(_ fd: Int32, _ address: inout SocketAddress) -> Int32 {
    descriptors[fd]?.localAddress(&address) ?? -EBADF
  }

  public override func peerAddress(_ fd: Int32, _ address: inout SocketAddress) -> Int32 {
    descriptors[fd]?.peerAddress(&address) ?? -EBADF
  }

  public override func option(
    _ fd: Int32, level: Int32, name: Int32, _ value: UnsafeMutableRawBufferPointer
  ) -> Int32 {
    unsafe descriptors[fd]?.option(level: level, name: name, value) ?? -EBADF
  }

  public override func setOption(
    _ fd: Int32, level: Int32, name: Int32, _ value: UnsafeRawBufferPointer
  ) -> Int32 {
    unsafe descriptors[fd]?.setOption(level: level, name: name, value) ?? -EBADF
  }

  // MARK: Transfers

  public override func read(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe descriptors[fd]?.read(buffer) ?? Int(-EBADF)
  }

  public override func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe descriptors[fd]?.write(bytes) ?? Int(-EBADF)
  }

  public override func receive(
    _ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer, flags: Int32
  ) -> Int {
    unsafe descriptors[fd]?.receive(buffer, flags: flags) ?? Int(-EBADF)
  }

  public override func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer, flags: Int32) -> Int {
    unsafe descriptors[fd]?.send(bytes, flags: flags) ?? Int(-EBADF)
  }

  public override func receiveMessage(
    _ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer, flags: Int32, _ message: inout Message
  ) -> Int {
    message = Message()
    return unsafe descriptors[fd]?.receiveMessage(buffer, flags: flags, &message) ?? Int(-EBADF)
  }

  public override func sendMessage(
    _ fd: Int32, _ bytes: UnsafeRawBufferPointer, flags: Int32, _ message: borrowing Message
  ) -> Int {
    unsafe descriptors[fd]?.sendMessage(bytes, flags: flags, message) ?? Int(-EBADF)
  }

  // MARK: Names

  /// Answers from the world's names. Returns also `-EINVAL` for a NUL in a name or a number above
  /// 65,535 as the service, and `-EEXIST` for a token that has a look-up.
  public override func resolve(_ host: String, service: String, token: UInt64) -> Int32 {
    guard let node else { return -EBADF }
    let isNumber = service.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard !host.utf8.contains(0), !service.utf8.contains(0),
      !isNumber || service.isEmpty || UInt16(service) != nil
    else { return -EINVAL }
    let names = node.world.nameTable
    let resolution = names.resolve(host, service: service, in: node.world)
    return lookups.start(token, resolution, ready: node.present &+ names.delay)
  }

  public override func takeResolved(token: UInt64) -> Resolution? {
    guard let node else { return nil }
    return lookups.take(token, at: node.present)
  }

  public override func cancelResolve(token: UInt64) { lookups.cancel(token) }

  // MARK: The process

  /// Variables are the node's.
  public override func environment(_ name: String) -> String? { node?.environment[name] }

  // MARK: Files

  public override func open(_ path: borrowing CPath, flags: Int32, mode: UInt32) -> Int32 {
    guard let node else { return -EBADF }
    var result: Int32 = 0
    guard let file = node.disk.open(copy path, flags: flags, mode: mode, &result) else {
      return result
    }
    return open(file)
  }

  public override func seek(_ fd: Int32, offset: Int64, whence: Int32) -> Int64 {
    descriptors[fd]?.seek(offset: offset, whence: whence) ?? Int64(-EBADF)
  }

  public override func synchronize(_ fd: Int32) -> Int32 {
    descriptors[fd]?.synchronize() ?? -EBADF
  }

  public override func truncate(_ fd: Int32, length: Int64) -> Int32 {
    descriptors[fd]?.truncate(length: length) ?? -EBADF
  }

  public override func status(_ path: borrowing CPath, _ status: inout FileStatus) -> Int32 {
    node?.disk.status(copy path, &status) ?? -EBADF
  }

  public override func rename(_ from: borrowing CPath, _ to: borrowing CPath) -> Int32 {
    node?.disk.rename(copy from, copy to) ?? -EBADF
  }

  public override func unlink(_ path: borrowing CPath) -> Int32 {
    node?.disk.unlink(copy path) ?? -EBADF
  }

  public override func makeDirectory(_ path: borrowing CPath, mode: UInt32) -> Int32 {
    node?.disk.makeDirectory(copy path, mode: mode) ?? -EBADF
  }

  public override func removeDirectory(_ path: borrowing CPath) -> Int32 {
    node?.disk.removeDirectory(copy path) ?? -EBADF
  }

  public override func list(_ path: borrowing CPath, _ names: inout [String]) -> Int32 {
    node?.disk.list(copy path, &names) ?? -EBADF
  }

  public override func begin(_ job: FileJob, token: UInt64) -> Int32 {
    guard let node else { return -EBADF }
    return jobs.start(token, job, on: node.disk)
  }

  public override func begin(_ job: FileJob) {
    if let node { _ = jobs.start(nil, job, on: node.disk) }
  }

  public override func takeAnswer(token: UInt64) -> FileAnswer? { jobs.take(token) }

  public override func forget(token: UInt64) {
    if let (job, answer) = jobs.forget(token) { discard(answer, of: job) }
  }

  /// Does the jobs whose time has come.
  private func finishJobs(into batch: EventBatch) {
    while batch.count < batch.capacity, let node, let (token, job) = jobs.next(at: node.present) {
      let answer = perform(job, on: node.disk)
      if let token {
        jobs.keep(answer, of: job, for: token)
        batch.append(KernelEvent(token: token, ready: .readable))
      } else {
        discard(answer, of: job)
      }
    }
  }

  /// A file that was opened for nobody is closed.
  private func discard(_ answer: FileAnswer, of job: FileJob) {
    if case .open = job, case .count(let fd) = answer { _ = close(Int32(truncatingIfNeeded: fd)) }
  }

  // MARK: Standard streams

  public override func readStandardInput(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe read(0, buffer)
  }

  public override func writeStandard(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe write(fd, bytes)
  }
}
