import Glibc

/// Everything a program on the reactor can observe of the outside, as non-blocking verbs.
///
/// `LinuxKernel` answers from Linux; a simulated kernel answers from a model. Code above this
/// line is the same for both and never asks which one it has.
///
/// Rules of the seam:
/// - Verbs are POSIX-shaped and never block, except `poll(until:into:)`. Results below zero are
///   `-errno` with Linux numbers. `EINTR` never passes this line.
/// - Readiness and completions (names, child processes, files) arrive only through
///   `poll(until:into:)`, never by a call back from inside a verb.
/// - A kernel knows nothing of tasks, registrations or Lua.
/// - Every descriptor that a kernel makes is close-on-exec and non-blocking.
///
/// A kernel belongs to one thread. Only `wake()` may be called from another.
/// The base class answers `-ENOSYS` to every verb, so that a simulated kernel overrides just
/// what its world has.
open class Kernel {
  public init() {}

  // MARK: Clocks and entropy

  /// Returns monotonic time in nanoseconds, which never runs backwards. Source: clock_gettime(2).
  open func monotonic() -> UInt64 { 0 }

  /// Returns wall-clock time in nanoseconds since 1970-01-01 UTC, which may step.
  open func wall() -> Int64 { 0 }

  /// Returns the processor time that this process has used, in nanoseconds.
  open func processorTime() -> UInt64 { 0 }

  /// Fills `buffer` with random bytes. Source: getrandom(2).
  open func entropy(_ buffer: UnsafeMutableRawBufferPointer) {}

  // MARK: Waiting

  /// Waits for events until `deadline`, and puts them into `batch`.
  ///
  /// - Parameter deadline: monotonic nanoseconds; nil waits without a limit; a time that has
  ///   passed collects what is there and returns at once.
  /// - Returns: 0, or `-errno` when waiting itself failed. May return early with an empty batch.
  open func poll(until deadline: UInt64?, into batch: EventBatch) -> Int32 { -ENOSYS }

  /// Makes a `poll(until:into:)` that is waiting in another thread return. Wakes are merged.
  open func wake() {}

  /// Starts edge-triggered events of a descriptor, named by `token`.
  /// Returns 0 or `-EEXIST`, `-EPERM` (a regular file), `-EBADF`, `-ENOSPC`, `-ENOMEM`;
  /// `-EBADFD` in a process that fork(2) made of the kernel's own.
  open func register(_ fd: Int32, _ interest: Interest, token: UInt64) -> Int32 { -ENOSYS }

  /// Stops the events of a descriptor. Returns 0 or `-ENOENT`, `-EBADF`, `-EBADFD`.
  open func deregister(_ fd: Int32) -> Int32 { -ENOSYS }

  // MARK: Sockets

  /// Makes a socket. `family`, `kind` and `protocolNumber` are Linux numbers.
  open func socket(_ family: Int32, _ kind: Int32, _ protocolNumber: Int32) -> Int32 {
    -ENOSYS
  }

  /// Makes two connected sockets. On 0 both descriptors are set.
  open func socketPair(
    _ family: Int32, _ kind: Int32, _ protocolNumber: Int32, _ first: inout Int32,
    _ second: inout Int32
  ) -> Int32 { -ENOSYS }

  /// Makes a pipe. On 0 both ends are set.
  open func pipe(_ readEnd: inout Int32, _ writeEnd: inout Int32) -> Int32 { -ENOSYS }

  open func bind(_ fd: Int32, _ address: borrowing SocketAddress) -> Int32 { -ENOSYS }
  open func listen(_ fd: Int32, backlog: Int32) -> Int32 { -ENOSYS }

  /// Takes one connection from a listener's queue, and stores its peer in `peer`.
  /// Returns the new descriptor, or any of the errors of accept(2) as `-errno`.
  open func accept(_ fd: Int32, _ peer: inout SocketAddress) -> Int32 { -ENOSYS }

  /// Begins to connect. Returns 0, `-EINPROGRESS` (also when a signal interrupted the call), or
  /// another `-errno`.
  open func connect(_ fd: Int32, _ address: borrowing SocketAddress) -> Int32 { -ENOSYS }

  open func read(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int { Int(-ENOSYS) }
  open func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int { Int(-ENOSYS) }

  /// Receives into `buffer`. Returns the bytes received, or `-errno`.
  open func receive(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer, flags: Int32) -> Int {
    Int(-ENOSYS)
  }

  /// Sends `bytes`, always with MSG_NOSIGNAL. Returns the bytes sent, or `-errno`.
  open func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer, flags: Int32) -> Int {
    Int(-ENOSYS)
  }

  /// `receive` and `send` without flags, for the path of every message.
  package var messageVerbs: MessageVerbs { .general }

  /// Receives one message with its sender, its flags and up to 16 passed descriptors.
  open func receiveMessage(
    _ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer, flags: Int32, _ message: inout Message
  ) -> Int { Int(-ENOSYS) }

  /// Sends one message to `message.address` (when it has one), with passed descriptors.
  open func sendMessage(
    _ fd: Int32, _ bytes: UnsafeRawBufferPointer, flags: Int32, _ message: borrowing Message
  ) -> Int { Int(-ENOSYS) }

  /// Ends one or both directions. `how`: 0 read, 1 write, 2 both.
  open func shutdown(_ fd: Int32, how: Int32) -> Int32 { -ENOSYS }

  /// Closes a descriptor, once: the number is free afterwards whatever this returns.
  open func close(_ fd: Int32) -> Int32 { -ENOSYS }

  /// Reads a socket option into `value`. Returns its length in bytes, or `-errno`.
  open func option(
    _ fd: Int32, level: Int32, name: Int32, _ value: UnsafeMutableRawBufferPointer
  ) -> Int32 { -ENOSYS }

  open func setOption(
    _ fd: Int32, level: Int32, name: Int32, _ value: UnsafeRawBufferPointer
  ) -> Int32 { -ENOSYS }

  open func localAddress(_ fd: Int32, _ address: inout SocketAddress) -> Int32 { -ENOSYS }
  open func peerAddress(_ fd: Int32, _ address: inout SocketAddress) -> Int32 { -ENOSYS }
  open func duplicate(_ fd: Int32) -> Int32 { -ENOSYS }

  /// Tells what kind of thing a descriptor is, or `-EBADF`.
  open func kind(_ fd: Int32, _ kind: inout DescriptorKind) -> Int32 { -ENOSYS }

  /// Makes a descriptor non-blocking. Descriptors 0, 1 and 2 are restored by `restore()`.
  open func setNonBlocking(_ fd: Int32) -> Int32 { -ENOSYS }

  /// Gives descriptors 0, 1 and 2 back the flags that they had before `setNonBlocking`.
  open func restore() {}

  // MARK: Standard streams

  /// Reads descriptor 0 without blocking and without changing its flags, which other processes
  /// may share. Returns bytes, 0 at the end, or `-EAGAIN` when nothing is there.
  open func readStandardInput(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    Int(-ENOSYS)
  }

  /// Writes to descriptor 1 or 2 without blocking and without changing its flags.
  /// Returns the bytes written (a part, at most 4,096 to a pipe or terminal), or `-EAGAIN`.
  open func writeStandard(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    Int(-ENOSYS)
  }

  // MARK: Files (a call may take as long as the disk does)

  open func open(_ path: borrowing CPath, flags: Int32, mode: UInt32) -> Int32 { -ENOSYS }
  open func seek(_ fd: Int32, offset: Int64, whence: Int32) -> Int64 { Int64(-ENOSYS) }
  open func synchronize(_ fd: Int32) -> Int32 { -ENOSYS }
  open func truncate(_ fd: Int32, length: Int64) -> Int32 { -ENOSYS }
  open func status(_ path: borrowing CPath, _ status: inout FileStatus) -> Int32 { -ENOSYS }
  open func rename(_ from: borrowing CPath, _ to: borrowing CPath) -> Int32 { -ENOSYS }
  open func unlink(_ path: borrowing CPath) -> Int32 { -ENOSYS }
  open func makeDirectory(_ path: borrowing CPath, mode: UInt32) -> Int32 { -ENOSYS }
  open func removeDirectory(_ path: borrowing CPath) -> Int32 { -ENOSYS }
  open func list(_ path: borrowing CPath, _ names: inout [String]) -> Int32 { -ENOSYS }

  /// Begins work on files that need not hold up the loop; `token` becomes readable when its
  /// answer is there.
  ///
  /// - Returns: 0, or `-EAGAIN` when 1,024 jobs are under way, or `-EEXIST` for a token that has
  ///   one.
  open func begin(_ job: FileJob, token: UInt64) -> Int32 { -ENOSYS }

  /// Begins work whose answer nobody waits for: `FileJob.close`.
  open func begin(_ job: FileJob) {}

  /// Takes the answer of a job. nil: it is not there yet.
  open func takeAnswer(token: UInt64) -> FileAnswer? { nil }

  /// Nobody wants the answer of a job any more. One that has begun is finished all the same; a
  /// file that it opens is closed.
  open func forget(token: UInt64) {}

  // MARK: Names

  /// Begins to look up `host`; `token` becomes readable when the answer is there.
  ///
  /// - Parameter service: a port number or a service name; empty means port 0.
  /// - Returns: 0, or `-EAGAIN` when too many look-ups are waiting (the limit is 1,024).
  open func resolve(_ host: String, service: String, token: UInt64) -> Int32 { -ENOSYS }

  /// Takes the answer of a look-up. nil: it is not there yet.
  open func takeResolved(token: UInt64) -> Resolution? { nil }

  /// Forgets a look-up; its answer, if it comes, is dropped.
  open func cancelResolve(token: UInt64) {}

  // MARK: Processes

  /// Starts a program, and returns a descriptor that becomes readable when it has ended.
  ///
  /// It gets this process's environment and folder, and `streams[i]` as its descriptor i.
  ///
  /// - Parameter words: the program (looked up in PATH when it has no slash) and its arguments.
  /// - Returns: `-ENOENT`, `-EACCES` and what else execve(2) gives, `-EAGAIN` when there are too
  ///   many processes, `-EINVAL` for no word, a NUL in a word or more than 16 streams.
  open func spawn(_ words: [[UInt8]], streams: [Int32]) -> Int32 { -ENOSYS }

  /// Sends a signal to a process that `spawn` started. Returns 0, or `-ESRCH` when it has ended
  /// and was reaped.
  open func signal(_ process: Int32, number: Int32) -> Int32 { -ENOSYS }

  /// Takes how a process ended. Returns 0, `-EAGAIN` while it runs, or `-ECHILD` when that was
  /// done before.
  open func reap(_ process: Int32, _ end: inout ProcessEnd) -> Int32 { -ENOSYS }

  // MARK: The process

  /// Returns the value of an environment variable.
  open func environment(_ name: String) -> String? { nil }
}
