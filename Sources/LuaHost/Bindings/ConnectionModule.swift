import CLua
import Glibc
import Reactor

/// The methods of a connection: `reactor.net`'s streams.
enum ConnectionModule {
  /// The most that one read returns, in bytes.
  static let readLimit = 65_536
  /// The most that `readline` and `readuntil` look through, in bytes, unless told otherwise.
  static let lineLimit = 65_536

  static let functions: [Function] = unsafe [
    Function("read", "hi?t?", waits: true, method: .connection, read),
    Function("write", "hst?", waits: true, method: .connection, write),
    Function("readn", "hit?", waits: true, method: .connection, readExactly),
    Function("readuntil", "hst?i?b", waits: true, method: .connection, readUntil),
    Function("readall", "ht?i?", waits: true, method: .connection, readAll),
    Function("unread", "hs", method: .connection, unread),
    Function("buffered", "h", method: .connection, buffered),
    Function("shutdown", "hs?", method: .connection, shutdown),
    Function("close", "h", method: .connection, close),
    Function("__close", "h", method: .connection, close),
    Function("fd", "h", method: .connection, fd),
    Function("address", "h", method: .connection, address),
    Function("peer", "h", method: .connection, peer),
    Function("option", "hsi?", method: .connection, option),
  ]

  static let describe: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let stream = call.stream else { return call.answer("connection (closed)") }
    return call.answer(stream.describe())
  }

  // MARK: Reading

  /// conn:read([n [, timeout]]): what is there, at most n bytes.
  static let read: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    let wanted = call.integer(1, or: Int64(readLimit))
    if wanted <= 0 { return call.badArgument(1, "number of bytes must be positive") }
    let count = min(Int(truncatingIfNeeded: wanted), readLimit)
    guard let stream = call.stream else { return call.fail("closed") }
    let host = call.host
    host.settle(call)
    let caller = call.caller(timeout: 2)
    if !stream.buffer.isEmpty, !stream.mustQueue(caller), caller.reason.isTry {
      return host.take(min(count, stream.buffer.count), from: stream, caller, call)
    }
    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: host.scratch[..<count])
    switch unsafe stream.receive(room, caller) {
    case .done(0): return call.fail("eof")
    case .done(let received):
      host.expectCommit(call, PendingRead(handle: call.handle(), scratch: received))
      return unsafe call.answer(UnsafeRawBufferPointer(rebasing: room[..<received]))
    case .parked: return call.parked
    case .failed(let code): return call.fail(code: code)
    case .ended(let reason): return call.end(reason)
    }
  }

  /// Runs `find` over the buffer and fills it until something is found.
  @inline(__always)
  private static func readBuffered(
    _ call: Call, timeout: Int, limit: Int,
    _ find: (UnsafeRawBufferPointer, Bool) -> (take: Int, drop: Int)?
  ) -> Int32 {
    guard let stream = call.stream else { return call.fail("closed") }
    let host = call.host
    host.settle(call)
    var caller = call.caller(timeout: timeout)
    if stream.mustQueue(caller) { return outcome(stream.queueToRead(caller), call) }
    guard caller.reason.isTry else { return call.end(caller.reason) }
    while true {
      if let found = unsafe find(stream.buffer.bytes, false) {
        return host.take(found.take, drop: found.drop, from: stream, caller, call)
      }
      if stream.buffer.count >= limit {
        stream.doneReading(caller)
        return call.fail("too long")
      }
      switch stream.fill(caller, atLeast: 4096) {
      case .done(0):
        if let found = unsafe find(stream.buffer.bytes, true) {
          return host.take(found.take, drop: found.drop, from: stream, caller, call)
        }
        return call.fail("eof")
      case .done: caller = unsafe Caller(waiter: caller.waiter, reason: .ready, deadline: caller.deadline)
      case let other: return outcome(other, call)
      }
    }
  }

  private static func outcome(_ attempt: Attempt, _ call: Call) -> Int32 {
    switch attempt {
    case .done(let count): call.answer(count)
    case .parked: call.parked
    case .failed(let code): call.fail(code: code)
    case .ended(let reason): call.end(reason)
    }
  }

  /// conn:readn(n [, timeout]): exactly n bytes.
  static let readExactly: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let wanted = Int(exactly: call.integer(1)), wanted >= 0, wanted <= 1 << 30 else {
      return call.badArgument(1, "number of bytes must be 0 to 1073741824")
    }
    return unsafe readBuffered(call, timeout: 2, limit: .max) { bytes, _ in
      bytes.count >= wanted ? (take: wanted, drop: 0) : nil
    }
  }

  /// conn:readuntil(delimiter [, timeout [, limit [, keep]]]).
  static let readUntil: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    let delimiter = unsafe call.bytes(1)
    if unsafe delimiter.isEmpty { return call.badArgument(1, "delimiter is empty") }
    let limit = call.integer(3, or: Int64(lineLimit))
    if limit <= 0 { return call.badArgument(3, "limit must be positive") }
    let keep = call.isTrue(4)
    return unsafe readBuffered(call, timeout: 2, limit: Int(truncatingIfNeeded: limit)) { bytes, _ in
      guard let at = unsafe bytes.firstRange(of: delimiter)?.lowerBound else { return nil }
      let end = at + delimiter.count
      return keep ? (take: end, drop: 0) : (take: at, drop: delimiter.count)
    }
  }

  /// conn:readall([timeout [, limit]]): everything up to the end of the stream.
  static let readAll: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    let limit = call.integer(2, or: Int64.max)
    if limit <= 0 { return call.badArgument(2, "limit must be positive") }
    return unsafe readBuffered(call, timeout: 1, limit: Int(truncatingIfNeeded: limit)) { bytes, ended in
      ended ? (take: bytes.count, drop: 0) : nil
    }
  }

  static let unread: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let stream = call.stream else { return call.fail("closed") }
    call.host.settle(call)
    unsafe stream.unread(call.bytes(1))
    return call.answer(true)
  }

  static let buffered: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let stream = call.stream else { return call.answer(0) }
    call.host.settle(call)
    return call.answer(stream.buffer.count)
  }

  // MARK: Writing

  /// conn:write(bytes [, timeout]): all of them.
  static let write: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let stream = call.stream else { return call.fail("closed") }
    let bytes = unsafe call.bytes(1)
    if stream.writeEnd == .partial { return call.fail("closed", "partial write") }
    switch unsafe stream.write(bytes, call.caller(timeout: 2)) {
    case .done(let count): return call.answer(count)
    case .parked: return call.parked
    case .failed(let code): return call.fail(code: code)
    case .ended(.timeout):
      call.push()
      call.push("timeout" as StaticString)
      call.push(stream.sentBeforeEnd)
      return call.done
    case .ended(.cancelled):
      // The peer holds half a message: nothing may follow it.
      if stream.sentBeforeEnd > 0 { _ = stream.shutdownWrite(partial: true) }
      return call.cancelled
    case .ended(let reason): return call.end(reason)
    }
  }

  // MARK: Ending

  /// conn:shutdown("w"): ends writing.
  static let shutdown: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    if !call.isNil(1), call.text(1) != "w" {
      return call.badArgument(1, "only the write side can be shut down: \"w\"")
    }
    guard let stream = call.stream else { return call.fail("closed") }
    let result = stream.shutdownWrite()
    return result < 0 ? call.fail(code: -result) : call.answer(true)
  }

  static let close: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let object = call.host.objects.remove(call.handle()) as? any HandleObject else {
      return call.answer(false)
    }
    object.close()
    return call.answer(true)
  }

  // MARK: Facts

  static let fd: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let stream = call.stream else { return call.fail("closed") }
    return call.answer(Int(stream.registration.fd))
  }

  static let address: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let stream = call.stream else { return call.fail("closed") }
    var address = SocketAddress()
    let result = call.host.kernel.localAddress(stream.registration.fd, &address)
    return result < 0 ? call.fail(code: -result) : call.answer(address.description)
  }

  static let peer: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let stream = call.stream else { return call.fail("closed") }
    var address = SocketAddress()
    let result = call.host.kernel.peerAddress(stream.registration.fd, &address)
    return result < 0 ? call.fail(code: -result) : call.answer(address.description)
  }

  /// conn:option(name [, value]).
  static let option: Leaf = { raw in
    guard let raw = unsafe raw else { return -1 }
    let call = unsafe Call(raw)
    guard let stream = call.stream else { return call.fail("closed") }
    return SocketOption.get(or: 2, fd: stream.registration.fd, call)
  }
}

extension WakeReason {
  /// Whether the call may try, for the first time or again.
  var isTry: Bool { self == .first || self == .ready }
}

extension Call {
  /// The stream behind argument 0; nil when it was closed.
  var stream: Stream? { host.objects.find(handle(), .connection, as: Stream.self) }
}

extension Stream: HandleObject {
  func describe() -> String {
    isOpen ? "connection (fd \(registration.fd), open)" : "connection (closed)"
  }
}

/// Bytes that a read answered, until it is known that the script has them.
@safe
struct PendingRead {
  var handle: (slot: UInt32, generation: UInt32) = (0, 0)
  /// Bytes in the host's scratch memory that the stream does not have any more.
  var scratch = 0
  /// Bytes at the front of the stream's buffer that are to be taken out.
  var consume = 0
}

extension LuaHost {
  /// Answers `count` buffered bytes; they leave the buffer when the script has them.
  func take(
    _ count: Int, drop: Int = 0, from stream: Stream, _ caller: Caller, _ call: Call
  ) -> Int32 {
    expectCommit(call, PendingRead(handle: call.handle(), consume: count + drop))
    let result = unsafe call.answer(UnsafeRawBufferPointer(rebasing: stream.buffer.bytes[..<count]))
    stream.doneReading(caller)
    return result
  }

  /// Notes a read whose bytes are on their way to the script; C sets `commit` when they arrive.
  @inline(__always)
  func expectCommit(_ call: Call, _ read: PendingRead) {
    pending = read
    unsafe commit.pointee = 0
    unsafe call.raw.pointee.commit = unsafe commit
  }

  /// Settles the last read before the next one: what did not reach the script (it had no memory
  /// for the string) goes back into the stream's buffer.
  @inline(__always)
  func settle(_ call: Call) {
    if pending.scratch != 0 || pending.consume != 0 { settlePending() }
  }

  private func settlePending() {
    let read = pending
    pending = PendingRead()
    guard let stream = objects.find(read.handle, .connection, as: Stream.self) else { return }
    if unsafe commit.pointee != 0 {
      if read.consume > 0 { stream.consume(read.consume) }
    } else if read.scratch > 0 {
      unsafe stream.unread(UnsafeRawBufferPointer(rebasing: scratch[..<read.scratch]))
    }
  }
}
