import Glibc

// The transfers of one message, for a caller that waits without a limit. They do what `receive`
// and `send` do, without a record of the caller; whatever is special is left to those.
extension Driver {
  /// The waiter is parked.
  package static var parked: Int { .min }
  /// Others stand ahead, or the driver has shut down: nothing was done.
  package static var notFirst: Int { .min + 1 }

  /// Receives at most `count` bytes.
  ///
  /// - Parameter isFirst: false when a wait for this has ended with `.ready`.
  /// - Returns: bytes, 0 at the end of the stream, `parked`, `notFirst`, or `-errno`.
  package func receive(
    _ stream: StreamPointer, _ room: UnsafeMutableRawPointer, _ count: Int,
    _ waiter: WaiterPointer, isFirst: Bool
  ) -> Int {
    let io = unsafe stream.pointee.io
    let queue = unsafe readers(of: io)
    if isFirst {
      guard unsafe queue.pointee.isEmpty, unsafe stream.pointee.isPlain, unsafe stream.pointee.buffer.isEmpty,
        unsafe !io.pointee.traits.contains(.shutdown)
      else { return Self.notFirst }
      if unsafe io.pointee.ready.isDisjoint(with: .readSide) {
        unsafe waiter.pointee.limit = .max
        unsafe waits.park(waiter, in: queue, deadline: .max)
        return Self.parked
      }
    }
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: room, count: count)
    let result = unsafe kernel.receive(io.pointee.fd, buffer, flags: 0)
    if result > 0 {
      if result < count { unsafe drained(io, .read) }
    } else if result == -Int(EAGAIN) {
      let caller = unsafe Caller(waiter: waiter, reason: isFirst ? .first : .ready, deadline: .max)
      _ = unsafe nothingThere(io, .read, caller, queue, partly: false)
      return Self.parked
    }
    if unsafe !queue.pointee.isEmpty {
      unsafe waits.finish(waiter)
      if unsafe !io.pointee.ready.isDisjoint(with: .readSide) { unsafe waits.grant(queue) }
    }
    return result
  }

  /// Sends `bytes` when that goes at once. `notFirst`: nothing was sent, or not everything;
  /// what was sent is noted as the beginning of the write that `send` then goes on with.
  package func send(_ stream: StreamPointer, _ bytes: UnsafeRawBufferPointer) -> Int {
    let io = unsafe stream.pointee.io
    guard unsafe io.pointee.writers.isEmpty, unsafe io.pointee.ready.contains(.writable),
      unsafe io.pointee.ready.isDisjoint(with: [.writeClosed, .error]), unsafe stream.pointee.isPlain,
      unsafe stream.pointee.writeEnd == .open, unsafe !io.pointee.traits.contains(.shutdown)
    else { return Self.notFirst }
    let result = unsafe kernel.send(io.pointee.fd, bytes, flags: 0)
    if result == bytes.count { return result }
    unsafe stream.pointee.begun = result
    return Self.notFirst
  }
}
