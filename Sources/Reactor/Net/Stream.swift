import Glibc

/// A connected byte stream: TCP, a Unix socket, or an end of a pipe.
///
/// Readers share one buffer, in which bytes stay that a call did not take. A read that the
/// buffer satisfies makes no system call. One write is whole against other writers.
@safe
package final class Stream {
  package let registration: Registration
  @safe @exclusivity(unchecked) package private(set) var buffer = ByteBuffer()
  /// Whose write has sent a part, and how many bytes of it.
  @safe @exclusivity(unchecked) private var writer: WaiterPointer?
  @safe @exclusivity(unchecked) private var sent = 0
  /// How many bytes of the write that was just ended had been sent.
  @safe @exclusivity(unchecked) package private(set) var sentBeforeEnd = 0
  /// A write was cut off, or the write side was shut down.
  @safe @exclusivity(unchecked) package private(set) var writeEnd = WriteEnd.open
  /// Where a script made it. 0: unknown.
  @safe @exclusivity(unchecked) package var site: UInt32 = 0
  private let kind: Kind

  package enum WriteEnd: UInt8 { case open, shutDown, partial }

  /// Which verbs move the bytes.
  package enum Kind: UInt8 { case socket, descriptor, standardInput }

  package init(registration: Registration, kind: Kind) {
    self.registration = registration
    self.kind = kind
  }

  package var isOpen: Bool { registration.isLive }

  // MARK: Reading

  /// Receives into `room` when nothing is buffered. `.done(0)` is the end of the stream.
  @inline(__always)
  package func receive(
    _ room: UnsafeMutableRawBufferPointer, _ caller: Caller
  ) -> Attempt {
    let kernel = registration.driver.kernel
    return registration.attempt(.read, wanted: room.count, caller) { fd in
      switch kind {
      case .socket: unsafe kernel.receive(fd, room, flags: 0)
      case .descriptor: unsafe kernel.read(fd, room)
      case .standardInput: unsafe kernel.readStandardInput(room)
      }
    }
  }

  /// Keeps bytes that were received and not taken.
  package func keep(_ bytes: UnsafeRawBufferPointer) { unsafe buffer.append(bytes) }

  /// Receives more into the buffer. `.done(0)` is the end of the stream.
  package func fill(_ caller: Caller, atLeast: Int = 4096) -> Attempt {
    buffer.reserve(atLeast)
    let attempt = unsafe receive(buffer.room, caller)
    if case .done(let count) = attempt { buffer.advance(by: count) }
    return attempt
  }

  package func consume(_ count: Int) { buffer.consume(count) }
  package func unread(_ bytes: UnsafeRawBufferPointer) { unsafe buffer.prepend(bytes) }

  /// Gives up the caller's turn to read, after a call that the buffer satisfied.
  package func doneReading(_ caller: Caller) {
    unsafe registration.leave(.read, caller, registration.driver.readers(of: registration.io))
  }

  /// Whether another reader stands before this caller, the ones that were just woken included.
  package func mustQueue(_ caller: Caller) -> Bool {
    unsafe caller.reason == .first && !registration.io.pointee.readers.isEmpty
  }

  package func queueToRead(_ caller: Caller) -> Attempt {
    unsafe registration.park(caller, registration.driver.readers(of: registration.io))
  }

  // MARK: Writing

  /// Sends all of `bytes`, whole against other writers.
  ///
  /// `.done(count)`: they are with the kernel. A write that ends early leaves the number of
  /// bytes that went out in `sentBeforeEnd`.
  @inline(__always)
  package func write(_ bytes: UnsafeRawBufferPointer, _ caller: Caller) -> Attempt {
    guard writeEnd == .open else { return .ended(.closed) }
    let from = unsafe caller.reason != .first && writer == caller.waiter ? sent : 0
    if from == bytes.count { return .done(from) }
    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[from...])
    let attempt = registration.attempt(.write, wanted: rest.count, caller) { fd in
      let kernel = registration.driver.kernel
      let result = unsafe kind == .socket ? kernel.send(fd, rest, flags: 0) : kernel.write(fd, rest)
      guard result >= 0, result < rest.count else { return result }
      writer = unsafe caller.waiter
      sent = from + result
      return Registration.partly
    }
    switch attempt {
    case .parked: break
    case .done:
      writer = nil
      return .done(bytes.count)
    default:
      sentBeforeEnd = unsafe writer == caller.waiter ? sent : 0
      writer = nil
    }
    return attempt
  }

  // MARK: Ending

  /// Ends writing: the peer sees the end of the stream. Returns 0 or `-errno`.
  package func shutdownWrite(partial: Bool = false) -> Int32 {
    guard isOpen else { return 0 }
    writeEnd = partial ? .partial : .shutDown
    return registration.driver.kernel.shutdown(registration.fd, how: 1)
  }

  /// Closes: ends the registration first, so that every waiter learns of it, then the number.
  package func close() {
    guard isOpen else { return }
    let fd = registration.fd
    registration.deregister()
    _ = registration.driver.kernel.close(fd)
    buffer.removeAll()
  }
}
