import Glibc

/// The transfers of one message, for a caller that waits without a limit.
///
/// They do what `Driver.receive` and `Driver.send` do, on a plain record that counts no
/// references; whatever is special is left to those. One for each driver, at a fixed place.
@safe
package struct FastPath {
  package let waits: WaitTable
  package let verbs: MessageVerbs
  package let kernel: UnsafeMutableRawPointer
  let driver: Unmanaged<Driver>
  /// What the kernel answered to a send that did not take everything: bytes or `-errno`.
  var begun = 0

  init(_ driver: Driver) {
    waits = driver.waits
    verbs = driver.kernel.messageVerbs
    unsafe kernel = unsafe Unmanaged.passUnretained(driver.kernel).toOpaque()
    unsafe self.driver = unsafe .passUnretained(driver)
  }

  /// The waiter is parked.
  package static var parked: Int { .min }
  /// Others stand ahead, or something is special: nothing was done.
  package static var notFirst: Int { .min + 1 }
}

extension UnsafeMutablePointer<FastPath> {
  /// Receives at most `count` bytes for a reader that comes for the first time.
  ///
  /// - Returns: bytes, 0 at the end of the stream, `parked`, `notFirst`, or `-errno`.

  package func receive(
    _ stream: StreamPointer, _ room: UnsafeMutableRawPointer, _ count: Int,
    _ waiter: WaiterPointer
  ) -> Int {
    let io = unsafe stream.pointee.io
    guard unsafe io.pointee.readers.isEmpty, unsafe stream.pointee.isPlain,
      unsafe stream.pointee.buffer.isEmpty,
      unsafe io.pointee.traits.isDisjoint(with: .over)
    else { return FastPath.notFirst }
    if unsafe io.pointee.ready.isDisjoint(with: .readSide) {
      unsafe waiter.pointee.limit = .max
      let queue = unsafe withUnsafeMutablePointer(to: &io.pointee.readers) { unsafe $0 }
      unsafe pointee.waits.park(waiter, in: queue, deadline: .max)
      return FastPath.parked
    }
    let result = unsafe pointee.verbs.receive(pointee.kernel, io.pointee.fd, room, count)
    if result > 0 {
      if result < count { unsafe io.noteShortRead() }
      return result
    }
    return unsafe result == -Int(EAGAIN) ? nothingThere(io, waiter, .first) : result
  }

  /// Receives for a reader whose turn it is: its wait has ended with `.ready`.

  package func receiveAgain(
    _ stream: StreamPointer, _ room: UnsafeMutableRawPointer, _ count: Int,
    _ waiter: WaiterPointer
  ) -> Int {
    let io = unsafe stream.pointee.io
    guard unsafe stream.pointee.buffer.isEmpty else { return FastPath.notFirst }
    let result = unsafe pointee.verbs.receive(pointee.kernel, io.pointee.fd, room, count)
    if result > 0 {
      if result < count { unsafe io.noteShortRead() }
    } else if result == -Int(EAGAIN) {
      return unsafe nothingThere(io, waiter, .ready)
    }
    unsafe pointee.waits.finish(waiter)
    if unsafe !io.pointee.readers.isEmpty, unsafe !io.pointee.ready.isDisjoint(with: .readSide) {
      unsafe pointee.waits.grant(withUnsafeMutablePointer(to: &io.pointee.readers) { unsafe $0 })
    }
    return result
  }

  @inline(never)

  func nothingThere(
    _ io: ScheduledIOPointer, _ waiter: WaiterPointer, _ reason: WakeReason
  ) -> Int {
    unsafe pointee.driver._withUnsafeGuaranteedRef { driver in
      let caller = unsafe Caller(waiter: waiter, reason: reason, deadline: .max)
      _ = unsafe driver.nothingThere(io, .read, caller, driver.readers(of: io), partly: false)
    }
    return FastPath.parked
  }

  /// Sends `bytes` when that goes at once. `notFirst`: it did not; what the kernel took or said
  /// is noted, as the beginning of the write that `Driver.send` goes on with.

  package func send(_ stream: StreamPointer, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    let io = unsafe stream.pointee.io
    guard unsafe io.pointee.writers.isEmpty, unsafe io.pointee.ready.contains(.writable), count > 0,
      unsafe io.pointee.ready.isDisjoint(with: [.writeClosed, .writeFailed]),
      unsafe stream.pointee.isPlain,
      unsafe stream.pointee.writeEnd == .open, unsafe io.pointee.traits.isDisjoint(with: .over)
    else { return FastPath.notFirst }
    let result = unsafe pointee.verbs.send(pointee.kernel, io.pointee.fd, bytes, count)
    if result == count { return result }
    unsafe pointee.begun = result
    return FastPath.notFirst
  }
}

extension UnsafeMutablePointer<ScheduledIO> {
  /// A read of fewer bytes than asked for shows that a plain stream is drained; but it stops
  /// short at urgent data too, and then more may be there.

  @inline(__always)
  package func noteShortRead() {
    if unsafe pointee.traits.contains(.shortReadMeansEmpty),
      unsafe !pointee.ready.contains(.priority)
    {
      unsafe pointee.ready.remove(.readable)
    }
  }

  /// A read that found the end would find it again.
  package func noteEnd() { unsafe pointee.ready.insert(.readClosed) }
}
