import Glibc
import Reactor

/// A file of Lua's `io` library: a descriptor, and the bytes on their way in and out.
///
/// The calls of the disk are made at once and take as long as they take. A file that can make a
/// reader wait (a terminal, a pipe) is registered with the driver at its first read.
@safe
final class File: HandleObject {
  let fd: Int32
  private let driver: Driver
  /// The files behind io.stdin, io.stdout and io.stderr, which no script can close.
  let isStandard: Bool
  /// Where it was opened; known while tests run.
  let site: UInt32
  let canRead: Bool
  let output: OutputBuffer?
  /// Whether a read may find nothing there and has to wait for more.
  private(set) var waits: Bool
  /// Where a file that waits is read, and its registration.
  private var stream: StreamPointer?
  private var registration: Registration?
  /// Bytes of a file that does not wait.
  private var held = ByteBuffer()

  init(
    _ fd: Int32, _ driver: Driver, canRead: Bool, output: OutputBuffer?, isStandard: Bool = false,
    site: UInt32 = 0
  ) {
    self.site = site
    self.fd = fd
    self.driver = driver
    self.canRead = canRead
    self.output = output
    self.isStandard = isStandard
    var kind = DescriptorKind.regularFile
    _ = driver.kernel.kind(fd, &kind)
    waits = canRead && (kind == .terminal || kind == .pipe || kind.isSocket || kind == .other)
    if kind == .terminal, output?.mode == .full { output?.mode = .line }
  }

  private var kernel: Kernel { driver.kernel }

  /// Bytes that were read from the descriptor.
  private var input: ByteBuffer {
    get { unsafe stream?.pointee.buffer ?? held }
    _modify {
      if let stream = unsafe stream {
        yield unsafe &stream.pointee.buffer
      } else {
        yield &held
      }
    }
  }

  // MARK: Reading

  /// The bytes that are read but not taken yet.
  var unread: UnsafeRawBufferPointer { unsafe input.bytes }

  /// Makes ready for a read. Returns an errno: EBADF when the file is open for writing only.
  func beginReading() -> Int32 {
    guard canRead else { return EBADF }
    output?.flush(kernel)
    guard waits, registration == nil else { return output?.takeFailure() ?? 0 }
    do throws(SystemError) {
      let registration = try driver.register(fd, .read, [])
      let stream = unsafe driver.makeStream(registration, isStandard ? .standardInput : .descriptor)
      unsafe stream.pointee.buffer = held
      held = ByteBuffer()
      self.registration = registration
      unsafe self.stream = unsafe stream
    } catch {
      return error.code
    }
    return 0
  }

  /// Parks a caller that comes after others who read this file. nil: it is its turn.
  func queue(_ caller: Caller) -> Attempt? {
    guard let stream = unsafe stream, unsafe driver.mustQueue(stream, caller) else { return nil }
    return unsafe driver.queueToRead(stream, caller)
  }

  /// Reads more from the descriptor. `.done(0)` is the end of the file.
  func fill(_ caller: Caller, _ scratch: UnsafeMutableRawBufferPointer) -> Attempt {
    if let stream = unsafe stream { return unsafe driver.fill(stream, scratch, caller) }
    // Reads grow with what is there, so that a long line is not looked through again and again.
    let room = unsafe min(max(16_384, unread.count), 1 << 24)
    held.reserve(room)
    let result = unsafe kernel.read(fd, held.room)
    if result == -EAGAIN { waits = true }
    if result < 0 { return .failed(Int32(truncatingIfNeeded: -result)) }
    held.advance(by: result)
    return .done(result)
  }

  /// Lets the others run before the caller reads on. nil: it reads on at once.
  func takeBreath(_ caller: Caller) -> Attempt? {
    guard let stream = unsafe stream else { return nil }
    return unsafe driver.takeBreath(stream, caller)
  }

  /// Ends a read that has found all it wanted.
  func doneReading(_ caller: Caller) {
    if let stream = unsafe stream { unsafe driver.doneReading(stream, caller) }
  }

  /// Removes `count` unread bytes, which have reached the script.
  func consume(_ count: Int) { input.consume(count) }

  // MARK: Writing

  /// Writes through the buffer. Returns an errno: EBADF when the file is open for reading only.
  func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    guard let output else { return EBADF }
    if !input.isEmpty, kernel.seek(fd, offset: -Int64(input.count), whence: SEEK_CUR) >= 0 {
      input.removeAll()
    }
    unsafe output.append(bytes, kernel)
    return output.takeFailure()
  }

  /// Sets the position. Returns it, from the start of the file, or `-errno`.
  func seek(_ offset: Int64, whence: Int32) -> Int64 {
    if let output {
      output.flush(kernel)
      let failure = output.takeFailure()
      if failure != 0 { return -Int64(failure) }
    }
    if whence == SEEK_CUR, offset == 0 {
      let position = kernel.seek(fd, offset: 0, whence: SEEK_CUR)
      return position < 0 ? position : position - Int64(input.count)
    }
    let ahead = whence == SEEK_CUR ? Int64(input.count) : 0
    let position = kernel.seek(fd, offset: offset &- ahead, whence: whence)
    if position >= 0 { input.removeAll() }
    return position
  }

  // MARK: Ending

  // Stock Lua closes a file that nobody refers to any more, and says nothing.
  var isOpen: Bool { false }

  func describe() -> String { "file (fd \(fd))" }

  func close() { _ = finish() }

  /// Writes what is buffered and closes the descriptor. Returns an errno.
  func finish() -> Int32 {
    output?.flushAll(kernel)
    let failure = output?.takeFailure() ?? 0
    registration?.deregister()
    input.removeAll()
    if let stream = unsafe stream { unsafe driver.free(stream) }
    registration = nil
    unsafe stream = nil
    let closed = isStandard ? 0 : kernel.close(fd)
    return failure != 0 ? failure : -closed
  }
}
