import CLua
import Glibc
import Reactor

/// The methods of a connection: `reactor.net`'s streams.
enum ConnectionModule {
  /// The most that one read returns, in bytes.
  static let readLimit = 65_536
  /// What a call receives in one turn: then it lets the others run, and goes on.
  static let turnBytes = Int(LR_BUDGET) * Int(LR_OPERATION_BYTES)
  /// The most that `readline` and `readuntil` look through, in bytes, unless told otherwise.
  static let lineLimit = 65_536

  static let functions: [Function] = unsafe [
    Function(
      "read", "hi?t?", waits: true, method: .connection, fast: fastRead, fastAgain: fastReadAgain,
      read),
    Function("write", "hst?", waits: true, method: .connection, fast: fastWrite, write),
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
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.answer("connection (closed)") }
    return call.answer(unsafe "connection (fd \(stream.pointee.fd), open)")
  }

  // MARK: Reading

  /// conn:read([n]) as long as nothing is special: no timeout, nothing buffered, nobody ahead.
  static let fastRead: lr_fast_leaf = { context, task, handle, wanted, _ in
    let core = unsafe context.assumingMemoryBound(to: HostCore.self)
    guard let waiter = unsafe task.pointee.waiter?.assumingMemoryBound(to: Waiter.self),
      unsafe core.pointee.isSettled, wanted > 0,
      let stream = unsafe core.pointee.objects.stream(name(handle))
    else { return Int64(LR_FAST_GENERAL) }
    let count = min(Int(wanted), readLimit)
    let received = unsafe core.pointee.fastPath.receive(stream, core.pointee.scratch, count, waiter)
    if received == FastPath.parked {
      unsafe task.pointee.kept = UnsafeMutableRawPointer(stream)
      unsafe task.pointee.kept_count = UInt32(truncatingIfNeeded: count)
      return Int64(LR_FAST_WAIT)
    }
    return unsafe answerFast(core, stream, received)
  }

  /// The same, for a reader whose turn has come. The stream is there as long as that is so.
  static let fastReadAgain: lr_fast_again = { context, task in
    let core = unsafe context.assumingMemoryBound(to: HostCore.self)
    guard let waiter = unsafe task.pointee.waiter?.assumingMemoryBound(to: Waiter.self),
      unsafe core.pointee.isSettled, let kept = unsafe task.pointee.kept
    else { return Int64(LR_FAST_GENERAL) }
    let stream = unsafe kept.assumingMemoryBound(to: Stream.self)
    let count = unsafe Int(truncatingIfNeeded: task.pointee.kept_count)
    let received = unsafe core.pointee.fastPath.receiveAgain(
      stream, core.pointee.scratch, count, waiter)
    return unsafe answerFast(core, stream, received)
  }

  @inline(__always)
  private static func name(_ handle: UInt64) -> ObjectTable.Handle {
    (UInt32(truncatingIfNeeded: handle), UInt32(truncatingIfNeeded: handle >> 32))
  }

  @inline(__always)
  private static func answerFast(
    _ core: HostCorePointer, _ stream: StreamPointer, _ received: Int
  ) -> Int64 {
    guard received > 0 else { return unsafe endFast(core, received) }
    unsafe core.pointee.pending.handle = unsafe stream.pointee.handle
    unsafe core.pointee.pending.scratch = received
    unsafe core.pointee.commit = 0
    return Int64(received)
  }

  /// Answers for a fast transfer that did not move bytes.
  @inline(never)
  private static func endFast(_ core: HostCorePointer, _ result: Int) -> Int64 {
    if result == FastPath.parked { return Int64(LR_FAST_WAIT) }
    if result == FastPath.notFirst { return Int64(LR_FAST_GENERAL) }
    let call = unsafe Call(core.pointee.call)
    unsafe call.raw.pointee.result_count = 0
    unsafe call.raw.pointee.commit = nil
    if result == 0 {
      _ = call.fail("eof")
    } else {
      _ = call.fail(code: Int32(truncatingIfNeeded: -result))
    }
    return Int64(LR_FAST_ANSWER)
  }

  /// conn:write(bytes) as long as nothing is special: nobody ahead, and all bytes go out at once.
  static let fastWrite: lr_fast_leaf = { context, task, handle, length, bytes in
    let core = unsafe context.assumingMemoryBound(to: HostCore.self)
    guard let bytes = unsafe bytes, let stream = unsafe core.pointee.objects.stream(name(handle))
    else {
      return Int64(LR_FAST_GENERAL)
    }
    let sent = unsafe core.pointee.fastPath.send(stream, UnsafeRawPointer(bytes), Int(length))
    return sent == length ? length : Int64(LR_FAST_GENERAL)
  }

  /// conn:read([n [, timeout]]): what is there, at most n bytes.
  static let read: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    let wanted = call.integer(1, or: Int64(readLimit))
    if wanted <= 0 { return call.badArgument(1, "number of bytes must be positive") }
    let count = min(Int(truncatingIfNeeded: wanted), readLimit)
    let host = call.host
    unsafe host.core.settle()
    let caller = call.caller(timeout: 2)
    if unsafe !stream.pointee.buffer.isEmpty, caller.reason.isTry {
      return unsafe readFromBuffer(call, stream, caller, count)
    }
    let room = unsafe UnsafeMutableRawBufferPointer(start: host.core.pointee.scratch, count: count)
    let attempt = unsafe host.driver.receive(stream, room, caller)
    guard case .done(let received) = attempt else { return end(call, attempt) }
    if received == 0 { return call.fail("eof") }
    unsafe host.core.expectCommit(raw, stream, scratch: received, consume: 0)
    return unsafe call.answer(UnsafeRawBufferPointer(start: room.baseAddress, count: received))
  }

  private static func readFromBuffer(
    _ call: Call, _ stream: StreamPointer, _ caller: Caller, _ count: Int
  ) -> Int32 {
    let host = call.host
    if unsafe host.driver.mustQueue(stream, caller) {
      return unsafe end(call, host.driver.queueToRead(stream, caller))
    }
    return unsafe host.take(min(count, stream.pointee.buffer.count), from: stream, caller, call)
  }

  /// Answers for an attempt that did not go through.
  static func end(_ call: Call, _ attempt: Attempt) -> Int32 {
    switch attempt {
    case .parked: call.parked
    case .failed(let code): call.fail(code: code)
    case .ended(let reason): call.end(reason)
    case .done(let count): call.answer(count)
    }
  }

  /// Runs `find` over the buffer and fills it until something is found.
  @inline(__always)
  private static func readBuffered(
    _ call: Call, timeout: Int, limit: Int,
    _ find: (UnsafeRawBufferPointer, Bool) -> (take: Int, drop: Int)?
  ) -> Int32 {
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    let host = call.host
    let driver = host.driver
    unsafe host.core.settle()
    let caller = call.caller(timeout: timeout)
    var received = 0
    if unsafe driver.mustQueue(stream, caller) {
      return unsafe end(call, driver.queueToRead(stream, caller))
    }
    guard caller.reason.isTry else { return call.end(caller.reason) }
    while true {
      if let found = unsafe find(stream.pointee.buffer.bytes, false) {
        return unsafe host.take(found.take, drop: found.drop, from: stream, caller, call)
      }
      if unsafe stream.pointee.buffer.count >= limit {
        unsafe driver.doneReading(stream, caller)
        return call.fail("too long")
      }
      if received >= turnBytes, let parked = unsafe driver.takeBreath(stream, caller) {
        return end(call, parked)
      }
      let attempt = unsafe driver.fill(stream, host.scratch, caller)
      guard case .done(let count) = attempt else { return end(call, attempt) }
      received += count
      if count == 0 {
        if let found = unsafe find(stream.pointee.buffer.bytes, true) {
          return unsafe host.take(found.take, drop: found.drop, from: stream, caller, call)
        }
        return call.fail("eof")
      }
    }
  }

  /// conn:readn(n [, timeout]): exactly n bytes.
  static let readExactly: Leaf = { raw in
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
    let call = unsafe Call(raw)
    let delimiter = unsafe call.bytes(1)
    if unsafe delimiter.isEmpty { return call.badArgument(1, "delimiter is empty") }
    let limit = call.integer(3, or: Int64(lineLimit))
    if limit <= 0 { return call.badArgument(3, "limit must be positive") }
    let keep = call.isTrue(4)
    return unsafe readBuffered(call, timeout: 2, limit: Int(truncatingIfNeeded: limit)) {
      bytes, _ in
      guard let at = unsafe bytes.firstRange(of: delimiter)?.lowerBound else { return nil }
      let end = at + delimiter.count
      return keep ? (take: end, drop: 0) : (take: at, drop: delimiter.count)
    }
  }

  /// conn:readall([timeout [, limit]]): everything up to the end of the stream.
  static let readAll: Leaf = { raw in
    let call = unsafe Call(raw)
    let limit = call.integer(2, or: Int64.max)
    if limit <= 0 { return call.badArgument(2, "limit must be positive") }
    return unsafe readBuffered(call, timeout: 1, limit: Int(truncatingIfNeeded: limit)) {
      bytes, ended in
      ended ? (take: bytes.count, drop: 0) : nil
    }
  }

  static let unread: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    unsafe call.host.core.settle()
    unsafe stream.pointee.buffer.prepend(call.bytes(1))
    unsafe call.host.driver.doneReading(stream, Caller(waiter: nil, reason: .first, deadline: 0))
    return call.answer(true)
  }

  static let buffered: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.answer(0) }
    unsafe call.host.core.settle()
    return unsafe call.answer(stream.pointee.buffer.count)
  }

  // MARK: Writing

  /// conn:write(bytes [, timeout]): all of them.
  static let write: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    let attempt = unsafe call.host.driver.send(stream, call.bytes(1), call.caller(timeout: 2))
    if case .done(let count) = attempt {
      call.spend(bytes: count)
      return call.answer(count)
    }
    return unsafe endWrite(call, stream, attempt)
  }

  @inline(never)
  private static func endWrite(_ call: Call, _ stream: StreamPointer, _ attempt: Attempt) -> Int32 {
    let driver = call.host.driver
    switch attempt {
    case .ended(.timeout):
      call.push()
      call.push("timeout" as StaticString)
      call.push(driver.takeSentBeforeEnd())
      return call.done
    case .ended(.cancelled):
      // The peer holds half a message: nothing may follow it.
      if driver.takeSentBeforeEnd() > 0 { _ = unsafe driver.shutdownWrite(stream, partial: true) }
      return call.cancelled
    case .ended(.closed) where unsafe stream.pointee.writeEnd == .partial:
      return call.fail("closed", "partial write")
    default: return end(call, attempt)
    }
  }

  // MARK: Ending

  /// conn:shutdown("w"): ends writing.
  static let shutdown: Leaf = { raw in
    let call = unsafe Call(raw)
    if !call.isNil(1), call.text(1) != "w" {
      return call.badArgument(1, "only the write side can be shut down: \"w\"")
    }
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    let result = unsafe call.host.driver.shutdownWrite(stream)
    return result < 0 ? call.fail(code: -result) : call.answer(true)
  }

  static let close: Leaf = { raw in
    let call = unsafe Call(raw)
    return call.answer(call.host.close(call.handle()))
  }

  // MARK: Facts

  static let fd: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    return unsafe call.answer(Int(stream.pointee.fd))
  }

  static let address: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    var address = SocketAddress()
    let result = unsafe call.host.kernel.localAddress(stream.pointee.fd, &address)
    return result < 0 ? call.fail(code: -result) : call.answer(address.description)
  }

  static let peer: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    var address = SocketAddress()
    let result = unsafe call.host.kernel.peerAddress(stream.pointee.fd, &address)
    return result < 0 ? call.fail(code: -result) : call.answer(address.description)
  }

  /// conn:option(name [, value]).
  static let option: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    return unsafe SocketOption.get(or: 2, fd: stream.pointee.fd, call)
  }
}

extension WakeReason {
  /// Whether the call may try, for the first time or again.
  var isTry: Bool { self == .first || self == .ready }
}

extension Call {
  /// The stream behind argument 0; nil when it was closed.
  var stream: StreamPointer? { unsafe host.objects.stream(handle()) }
}

extension LuaHost {
  /// Answers `count` buffered bytes; they leave the buffer when the script has them.
  func take(
    _ count: Int, drop: Int = 0, from stream: StreamPointer, _ caller: Caller, _ call: Call
  ) -> Int32 {
    unsafe core.expectCommit(call.raw, stream, scratch: 0, consume: count + drop)
    let bytes = unsafe stream.pointee.buffer.bytes
    let result = unsafe call.answer(UnsafeRawBufferPointer(start: bytes.baseAddress, count: count))
    unsafe driver.doneReading(stream, caller)
    return result
  }
}
