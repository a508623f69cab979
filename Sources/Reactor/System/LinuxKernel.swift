internal import CLinux
import Glibc

/// The kernel that this process runs on: epoll, sockets, files and names of Linux.
///
/// Every verb is one system call, unless it says otherwise. Errors are those of the manual page
/// of the call.
///
/// A process that fork(2) made shares the epoll with its parent. There, `poll`, `register` and
/// `deregister` answer `-EBADFD` and touch nothing: make a kernel of its own. Cost: a comparison
/// of two numbers; no system call.
@safe
public final class LinuxKernel: Kernel {
  private let epoll: Int32
  private let events: UnsafeMutablePointer<linux_epoll_event>
  private let capacity: Int
  private let readiness = ReadyTable()
  private let waker: Waker
  /// Two pools, so that names which nobody answers do not hold up files.
  private let names: WorkerPool
  private let files: WorkerPool
  private let streams = StandardStreams()
  /// `linux_fork_count()` of the process that made this kernel.
  private let forks: UInt32

  /// Makes a kernel with two descriptors: an epoll and an eventfd.
  ///
  /// - Parameter capacity: the most events that one poll takes, 1...65,536; others are brought
  ///   into that range.
  /// - Throws: `SystemError` when a descriptor or memory is missing (EMFILE, ENFILE, ENOMEM), or
  ///   ENOSPC when the user has reached the limit of epoll registrations.
  public init(capacity: Int = 1024) throws(SystemError) {
    waker = try Waker()
    names = WorkerPool(waker: waker)
    files = WorkerPool(waker: waker)
    let watched = linux_watch_forks()
    forks = linux_fork_count()
    epoll = linux_epoll_create()
    self.capacity = min(max(capacity, 1), 65_536)
    unsafe events = .allocate(capacity: self.capacity)
    super.init()
    guard watched == 0 else { throw SystemError(watched, in: "pthread_atfork") }
    guard epoll >= 0 else { throw SystemError(epoll, in: "epoll_create1") }
    let interest: Interest = .read
    let result = linux_epoll_add(epoll, waker.descriptor, interest.epollEvents, Waker.token)
    guard result == 0 else { throw SystemError(result, in: "epoll_ctl") }
  }

  deinit {
    // After a fork a thread that is not there any more may hold the lock of the names, and the
    // flags of the standard streams are the parent's.
    if !isInherited {
      names.stop()
      files.stop()
      streams.restore()
    }
    _ = linux_close(epoll)
    unsafe events.deallocate()
  }

  /// Whether this process got the kernel from its parent by fork(2).
  @inline(__always)
  private var isInherited: Bool { linux_fork_count() != forks }

  // MARK: Clocks and entropy

  package override var messageVerbs: MessageVerbs {
    unsafe MessageVerbs(receive: linux_receive_message, send: linux_send_message)
  }

  public override func monotonic() -> UInt64 { linux_monotonic() }
  public override func wall() -> Int64 { linux_wall() }
  public override func processorTime() -> UInt64 { linux_processor_time() }

  /// Ends the process when the system has no random numbers: nothing may go on with known ones.
  public override func entropy(_ buffer: UnsafeMutableRawBufferPointer) {
    let result = unsafe linux_entropy(buffer.baseAddress, buffer.count)
    if result < 0 { fatalError("\(SystemError(result, in: "getrandom"))") }
  }

  // MARK: Waiting

  /// Source: epoll_pwait2(2). One system call, and one reading of the clock for a deadline.
  public override func poll(until deadline: UInt64?, into batch: EventBatch) -> Int32 {
    batch.count = 0
    if isInherited { return -EBADFD }
    let timeout = Self.timeout(until: deadline)
    var isWoken = timeout == 0 ? waker.isRunning() : waker.willWait()
    let count = unsafe linux_epoll_wait(
      epoll, events, Int32(truncatingIfNeeded: min(capacity, batch.capacity)),
      isWoken ? 0 : timeout)
    if timeout != 0, waker.isRunning() { isWoken = true }
    if count > 0 { fill(batch, Int(count)) }
    if isWoken {
      names.announce(into: batch)
      files.announce(into: batch)
    }
    return min(count, 0)
  }

  /// Returns nanoseconds from now on; -1 without a limit, 0 when the deadline has passed.
  @inline(__always)
  private static func timeout(until deadline: UInt64?) -> Int64 {
    guard let deadline else { return -1 }
    guard deadline > 0 else { return 0 }
    let now = linux_monotonic()
    return deadline > now ? Int64(clamping: deadline &- now) : 0
  }

  @inline(__always)
  private func fill(_ batch: EventBatch, _ count: Int) {
    var filled = 0
    for index in 0..<count {
      let event = unsafe events[index]
      if event.token == Waker.token { continue }
      unsafe batch.storage[filled] = KernelEvent(
        token: event.token, ready: readiness[event.events])
      filled &+= 1
    }
    batch.count = filled
  }

  /// An atomic exchange, and write(2) when a poll waits.
  public override func wake() { waker.wake() }

  /// Source: epoll_ctl(2), EPOLL_CTL_ADD. `UInt64.max` is not a token: `-EINVAL`.
  public override func register(_ fd: Int32, _ interest: Interest, token: UInt64) -> Int32 {
    if isInherited { return -EBADFD }
    guard token != Waker.token else { return -EINVAL }
    return linux_epoll_add(epoll, fd, interest.epollEvents, token)
  }

  public override func deregister(_ fd: Int32) -> Int32 {
    isInherited ? -EBADFD : linux_epoll_remove(epoll, fd)
  }

  // MARK: Sockets

  public override func socket(
    _ family: Int32, _ kind: Int32, _ protocolNumber: Int32
  ) -> Int32 {
    linux_socket(family, kind, protocolNumber)
  }

  public override func socketPair(
    _ family: Int32, _ kind: Int32, _ protocolNumber: Int32, _ first: inout Int32,
    _ second: inout Int32
  ) -> Int32 {
    unsafe linux_socket_pair(family, kind, protocolNumber, &first, &second)
  }

  public override func pipe(_ readEnd: inout Int32, _ writeEnd: inout Int32) -> Int32 {
    unsafe linux_pipe(&readEnd, &writeEnd)
  }

  public override func bind(_ fd: Int32, _ address: borrowing SocketAddress) -> Int32 {
    unsafe withUnsafePointer(to: address.raw) { unsafe linux_bind(fd, $0) }
  }

  public override func listen(_ fd: Int32, backlog: Int32) -> Int32 { linux_listen(fd, backlog) }

  public override func accept(_ fd: Int32, _ peer: inout SocketAddress) -> Int32 {
    unsafe linux_accept(fd, &peer.raw)
  }

  public override func connect(_ fd: Int32, _ address: borrowing SocketAddress) -> Int32 {
    unsafe withUnsafePointer(to: address.raw) { unsafe linux_connect(fd, $0) }
  }

  public override func read(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe linux_read(fd, buffer.baseAddress, buffer.count)
  }

  /// Raises no SIGPIPE: pwritev2(2) with RWF_NOSIGNAL, and before Linux 6.18 four more calls.
  public override func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe linux_write(fd, bytes.baseAddress, bytes.count)
  }

  public override func receive(
    _ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer, flags: Int32
  ) -> Int {
    unsafe linux_recv(fd, buffer.baseAddress, buffer.count, flags)
  }

  public override func send(
    _ fd: Int32, _ bytes: UnsafeRawBufferPointer, flags: Int32
  ) -> Int {
    unsafe linux_send(fd, bytes.baseAddress, bytes.count, flags)
  }

  public override func receiveMessage(
    _ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer, flags: Int32, _ message: inout Message
  ) -> Int {
    var raw = linux_message()
    let count = unsafe linux_recvmsg(fd, buffer.baseAddress, buffer.count, flags, &raw)
    message = Message(raw)
    return count
  }

  /// Returns `-EINVAL` when the message has more than 16 descriptors.
  public override func sendMessage(
    _ fd: Int32, _ bytes: UnsafeRawBufferPointer, flags: Int32, _ message: borrowing Message
  ) -> Int {
    guard var raw = message.raw() else { return Int(-EINVAL) }
    return unsafe linux_sendmsg(fd, bytes.baseAddress, bytes.count, flags, &raw)
  }

  public override func shutdown(_ fd: Int32, how: Int32) -> Int32 { linux_shutdown(fd, how) }
  public override func close(_ fd: Int32) -> Int32 { linux_close(fd) }

  public override func option(
    _ fd: Int32, level: Int32, name: Int32, _ value: UnsafeMutableRawBufferPointer
  ) -> Int32 {
    let capacity = UInt32(clamping: value.count)
    return unsafe linux_get_option(fd, level, name, value.baseAddress, capacity)
  }

  public override func setOption(
    _ fd: Int32, level: Int32, name: Int32, _ value: UnsafeRawBufferPointer
  ) -> Int32 {
    let length = UInt32(clamping: value.count)
    return unsafe linux_set_option(fd, level, name, value.baseAddress, length)
  }

  public override func localAddress(_ fd: Int32, _ address: inout SocketAddress) -> Int32 {
    unsafe linux_local_address(fd, &address.raw)
  }

  public override func peerAddress(_ fd: Int32, _ address: inout SocketAddress) -> Int32 {
    unsafe linux_peer_address(fd, &address.raw)
  }

  // MARK: Any descriptor

  public override func duplicate(_ fd: Int32) -> Int32 { linux_duplicate(fd) }

  /// One to five system calls: fstat(2), and up to four options of a socket.
  public override func kind(_ fd: Int32, _ kind: inout DescriptorKind) -> Int32 {
    var descriptor = linux_descriptor()
    let result = unsafe linux_describe(fd, &descriptor)
    if result == 0 { kind = DescriptorKind(descriptor) }
    return result
  }

  /// One or two calls of fcntl(2).
  public override func setNonBlocking(_ fd: Int32) -> Int32 { streams.setNonBlocking(fd) }
  public override func restore() { if !isInherited { streams.restore() } }

  /// Two system calls: poll(2), read(2). A reader in another process can come between the two.
  public override func readStandardInput(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe linux_read_guarded(0, buffer.baseAddress, buffer.count)
  }

  /// Up to three system calls: fstat(2), poll(2), write(2).
  public override func writeStandard(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe linux_write_guarded(fd, bytes.baseAddress, bytes.count)
  }

  // MARK: Files

  /// Opens a file, always with O_CLOEXEC, O_NONBLOCK and O_NOCTTY.
  public override func open(_ path: borrowing CPath, flags: Int32, mode: UInt32) -> Int32 {
    unsafe path.withCString { unsafe linux_open($0, flags, mode) }
  }

  public override func seek(_ fd: Int32, offset: Int64, whence: Int32) -> Int64 {
    linux_seek(fd, offset, whence)
  }

  public override func synchronize(_ fd: Int32) -> Int32 { linux_sync(fd) }
  public override func truncate(_ fd: Int32, length: Int64) -> Int32 {
    linux_truncate(fd, length)
  }

  public override func status(_ path: borrowing CPath, _ status: inout FileStatus) -> Int32 {
    var raw = linux_status()
    let result = unsafe path.withCString { unsafe linux_stat($0, &raw) }
    if result == 0 { status = FileStatus(raw) }
    return result
  }

  public override func rename(_ from: borrowing CPath, _ to: borrowing CPath) -> Int32 {
    let (from, to) = (copy from, copy to)
    return unsafe from.withCString { old in
      unsafe to.withCString { new in unsafe linux_rename(old, new) }
    }
  }

  public override func unlink(_ path: borrowing CPath) -> Int32 {
    unsafe path.withCString { unsafe linux_unlink($0) }
  }

  public override func makeDirectory(_ path: borrowing CPath, mode: UInt32) -> Int32 {
    unsafe path.withCString { unsafe linux_make_directory($0, mode) }
  }

  public override func removeDirectory(_ path: borrowing CPath) -> Int32 {
    unsafe path.withCString { unsafe linux_remove_directory($0) }
  }

  /// Lists a directory in the file system's order, without "." and "..".
  public override func list(_ path: borrowing CPath, _ names: inout [String]) -> Int32 {
    DirectoryListing.read(path, &names)
  }

  public override func begin(_ job: FileJob, token: UInt64) -> Int32 {
    token == Waker.token ? -EINVAL : files.start(token, .file(job))
  }

  /// Does the work at once when no thread can be had.
  public override func begin(_ job: FileJob) {
    if files.start(nil, .file(job)) < 0 { _ = FileWork.perform(job) }
  }

  public override func takeAnswer(token: UInt64) -> FileAnswer? {
    if case .file(let answer)? = files.take(token) { answer } else { nil }
  }

  public override func forget(token: UInt64) { files.forget(token) }

  // MARK: Names

  /// Looks up with getaddrinfo(3), so that files, nsswitch and the search list count as
  /// everywhere else. Returns also `-EINVAL` for a NUL in a name or a number above 65,535 as
  /// the service, and `-EEXIST` for a token that has a look-up.
  public override func resolve(_ host: String, service: String, token: UInt64) -> Int32 {
    guard token != Waker.token, NameLookup.isSound(host: host, service: service) else {
      return -EINVAL
    }
    return names.start(token, .lookup(host: host, service: service))
  }

  public override func takeResolved(token: UInt64) -> Resolution? {
    if case .names(let resolution)? = names.take(token) { resolution } else { nil }
  }

  public override func cancelResolve(token: UInt64) { names.forget(token) }

  // MARK: Processes

  /// Source: posix_spawn(3), pidfd_open(2). A handful of system calls, and one fork.
  public override func spawn(_ words: [[UInt8]], streams: [Int32]) -> Int32 {
    if words.contains(where: { $0.contains(0) }) { return -EINVAL }
    let text = words.flatMap { $0 + [0] }.map { CChar(bitPattern: $0) }
    return unsafe linux_spawn(
      text, Int32(clamping: words.count), streams, Int32(clamping: streams.count))
  }

  /// Source: pidfd_send_signal(2).
  public override func signal(_ process: Int32, number: Int32) -> Int32 {
    linux_signal_process(process, number)
  }

  /// Source: waitid(2).
  public override func reap(_ process: Int32, _ end: inout ProcessEnd) -> Int32 {
    var (code, signal): (Int32, Int32) = (0, 0)
    let result = unsafe linux_reap(process, &code, &signal)
    if result == 0 { end = signal == 0 ? .exited(code) : .killed(signal) }
    return result
  }

  // MARK: The process

  /// Source: getenv(3). What is not UTF-8 is replaced.
  public override func environment(_ name: String) -> String? {
    guard let value = unsafe linux_environment(name) else { return nil }
    return unsafe String(cString: value)
  }
}
