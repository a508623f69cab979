import Glibc

/// A connected byte stream: TCP, a Unix socket, or standard input.
///
/// Readers share one buffer, in which bytes stay that a call did not take. A read that the
/// buffer satisfies makes no system call. One write is whole against other writers.
///
/// A plain record, not an object: a server has one for each connection, and its calls are the
/// hottest of all. The verbs are the driver's.
@safe
package struct Stream {
  package let io: ScheduledIOPointer
  /// Bytes that were received and not taken yet.
  package var buffer = ByteBuffer()
  /// Whose write has sent a part, and how many bytes of it.
  var writer: WaiterPointer?
  var sent = 0
  /// The owner's name for it.
  package var handle: (slot: UInt32, generation: UInt32) = (0, 0)
  /// Where a script made it. 0: unknown.
  package var site: UInt32 = 0
  package let kind: Kind
  package var writeEnd = WriteEnd.open

  package enum WriteEnd: UInt8 { case open, shutDown, partial }

  /// Which verbs move the bytes.
  package enum Kind: UInt8 { case socket, descriptor, standardInput }

  package init(registration: Registration, kind: Kind) {
    unsafe io = unsafe registration.io
    self.kind = kind
  }

  package var fd: Int32 { unsafe io.pointee.fd }

  /// Whether its bytes move by recv(2) and send(2).
  package var isPlain: Bool { kind == .socket }
}

package typealias StreamPointer = UnsafeMutablePointer<Stream>

extension Driver {
  // MARK: Reading

  /// Receives into `room`. `.done(0)` is the end of the stream.
  package func receive(
    _ stream: StreamPointer, _ room: UnsafeMutableRawBufferPointer, _ caller: Caller,
    keepsTurn: Bool = false
  ) -> Attempt {
    let io = unsafe stream.pointee.io
    return unsafe attempt(io, .read, wanted: room.count, keepsTurn: keepsTurn, caller) { fd in
      switch unsafe stream.pointee.kind {
      case .socket: unsafe kernel.receive(fd, room, flags: 0)
      case .descriptor: unsafe kernel.read(fd, room)
      case .standardInput: unsafe kernel.readStandardInput(room)
      }
    }
  }

  /// Receives more into the buffer, by way of `scratch`: a stream that waits holds no memory.
  /// `.done(0)` is the end of the stream. A caller that got bytes keeps its turn, until
  /// `doneReading`.
  package func fill(
    _ stream: StreamPointer, _ scratch: UnsafeMutableRawBufferPointer, _ caller: Caller
  ) -> Attempt {
    let attempt = unsafe receive(stream, scratch, caller, keepsTurn: true)
    if case .done(let count) = attempt {
      unsafe stream.pointee.buffer.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
    }
    return attempt
  }

  /// Gives up the caller's turn to read, after a call that the buffer satisfied.
  package func doneReading(_ stream: StreamPointer, _ caller: Caller) {
    let io = unsafe stream.pointee.io
    if unsafe !io.pointee.readers.isEmpty { unsafe leave(io, .read, caller, readers(of: io)) }
    // Bytes in the buffer are there for the next reader, whatever the kernel has.
    if unsafe !stream.pointee.buffer.isEmpty { unsafe waits.grant(readers(of: io)) }
  }

  /// Whether other readers stand before this caller, the ones that were just woken included.
  package func mustQueue(_ stream: StreamPointer, _ caller: Caller) -> Bool {
    unsafe caller.reason == .first && !stream.pointee.io.pointee.readers.isEmpty
  }

  package func queueToRead(_ stream: StreamPointer, _ caller: Caller) -> Attempt {
    unsafe park(caller, readers(of: stream.pointee.io))
  }

  /// Lets the others run before the caller reads on, after the next poll; it keeps its place.
  /// nil: it cannot wait, and reads on.
  package func takeBreath(_ stream: StreamPointer, _ caller: Caller) -> Attempt? {
    guard let waiter = unsafe caller.waiter, caller.deadline != 0 else { return nil }
    let io = unsafe stream.pointee.io
    if caller.reason == .first { unsafe waiter.pointee.limit = caller.deadline }
    let limit = unsafe waiter.pointee.limit
    unsafe waits.rest(waiter, in: readers(of: io), until: .max, limit: limit)
    unsafe breathing.append(io)
    return .parked
  }

  // MARK: Writing

  /// Sends all of `bytes`, whole against other writers.
  ///
  /// `.done(count)`: they are with the kernel. A write that ends early leaves the number of
  /// bytes that went out in `sentBeforeEnd`.
  package func send(
    _ stream: StreamPointer, _ bytes: UnsafeRawBufferPointer, _ caller: Caller
  ) -> Attempt {
    guard unsafe stream.pointee.writeEnd == .open else {
      unsafe leave(stream.pointee.io, .write, caller, writers(of: stream.pointee.io))
      return .ended(.closed)
    }
    let isUnderWay = unsafe caller.reason != .first && stream.pointee.writer == caller.waiter
    let from = unsafe isUnderWay ? stream.pointee.sent : 0
    var sent = from
    if from >= bytes.count { return .done(bytes.count) }
    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[from...])
    let attempt = unsafe attempt(stream.pointee.io, .write, wanted: rest.count, caller) { fd in
      let result = unsafe takeBegun() ?? transfer(stream, fd, rest)
      guard result >= 0, result < rest.count else { return result }
      unsafe stream.pointee.writer = unsafe caller.waiter
      sent = from + result
      unsafe stream.pointee.sent = sent
      return Self.partly
    }
    switch attempt {
    case .parked: break
    case .done:
      unsafe stream.pointee.writer = nil
      return .done(bytes.count)
    default:
      sentBeforeEnd = sent
      // Another writer may be under way, and goes on where it was.
      if unsafe stream.pointee.writer == caller.waiter { unsafe stream.pointee.writer = nil }
    }
    return attempt
  }

  /// What a fast send has tried a moment ago, which must not be tried twice.
  private func takeBegun() -> Int? {
    let begun = unsafe fastPath.pointee.begun
    unsafe fastPath.pointee.begun = 0
    return begun == 0 ? nil : begun
  }

  private func transfer(
    _ stream: StreamPointer, _ fd: Int32, _ bytes: UnsafeRawBufferPointer
  ) -> Int {
    unsafe stream.pointee.kind == .socket
      ? kernel.send(fd, bytes, flags: 0) : kernel.write(fd, bytes)
  }

  /// How many bytes of the write that was just ended had been sent.
  package func takeSentBeforeEnd() -> Int {
    defer { sentBeforeEnd = 0 }
    return sentBeforeEnd
  }

  // MARK: Connecting

  /// Waits until a connect has ended; `result` asks how (0 or `-errno`).
  package func finishConnect(
    _ stream: StreamPointer, _ caller: Caller, _ result: (Int32) -> Int32
  ) -> Attempt {
    unsafe attempt(stream.pointee.io, .write, wanted: 0, caller) { fd in Int(result(fd)) }
  }

  // MARK: Ending

  /// Ends writing: the peer sees the end of the stream, and writes that wait end with `.closed`.
  /// Returns 0 or `-errno`.
  package func shutdownWrite(_ stream: StreamPointer, partial: Bool = false) -> Int32 {
    unsafe stream.pointee.writeEnd = partial ? .partial : .shutDown
    unsafe waits.wakeAll(writers(of: stream.pointee.io), .closed)
    return unsafe kernel.shutdown(stream.pointee.fd, how: 1)
  }

  package func makeStream(_ registration: Registration, _ kind: Stream.Kind) -> StreamPointer {
    let stream = unsafe streams.take()
    unsafe stream.initialize(to: Stream(registration: registration, kind: kind))
    return unsafe stream
  }

  /// Closes: ends the registration first, so that every waiter learns of it, then the number.
  /// A socket whose input was not read lingers. Cost: one recv(2) more for a socket.
  package func close(_ stream: StreamPointer) {
    let (io, isUnread) = unsafe (stream.pointee.io, !stream.pointee.buffer.isEmpty)
    if unsafe stream.pointee.kind == .socket {
      unsafe closeStream(io, isUnread: isUnread)
    } else {
      unsafe close(io)
    }
    unsafe free(stream)
  }

  /// Gives a stream's memory back, when its registration has ended.
  package func free(_ stream: StreamPointer) {
    unsafe stream.pointee.buffer.removeAll()
    unsafe stream.deinitialize(count: 1)
    unsafe streams.give(stream)
  }
}
