import Glibc

// Closing a connection whose input was not read. Linux answers such a close with a reset, and a
// reset takes from the peer what it was sent and has not read yet (RFC 1122, 4.2.2.13). So the
// connection only ends its writing, throws away what still comes, and is closed when its peer has
// ended too (RFC 9112, 9.6), has been silent for two seconds, or after thirty.
extension Driver {
  /// What there is to throw away at once of one connection, in blocks.
  private static let blocks = 16
  private static let blockSize = 65_536

  private enum Discarded { case ended, nothing, some, more }

  /// Ends a registration and closes its stream so that the peer gets all that was sent.
  ///
  /// - Parameter isUnread: whether input was taken from the kernel that nobody wanted.
  package func closeStream(_ io: ScheduledIOPointer, isUnread: Bool) {
    let fd = unsafe io.pointee.fd
    guard fd >= 0, unsafe io.pointee.ready.isDisjoint(with: [.writeClosed, .error]) else {
      return unsafe close(io)
    }
    let discarded = discard(fd)
    switch discarded {
    case .ended: return unsafe close(io)
    case .nothing where !isUnread: return unsafe close(io)
    default: break
    }
    if resetsAtClose(fd) { return unsafe close(io) }
    _ = kernel.shutdown(fd, how: 1)
    unsafe endWaits(of: io, .lingering)
    unsafe lingering.add(io, now: kernel.monotonic(), isReadable: discarded == .more)
  }

  /// Throws input away. Returns whether the peer has ended, and what there was.
  private func discard(_ fd: Int32) -> Discarded {
    unsafe withUnsafeTemporaryAllocation(byteCount: Self.blockSize, alignment: 16) { room in
      for block in 0..<Self.blocks {
        let count = unsafe kernel.receive(fd, room, flags: 0)
        if count == -Int(EAGAIN) { return block == 0 ? .nothing : .some }
        if count <= 0 { return .ended }
      }
      return .more
    }
  }

  /// Whether somebody asked for the reset: SO_LINGER with a time of 0.
  private func resetsAtClose(_ fd: Int32) -> Bool {
    var value: (Int32, Int32) = (0, 0)
    let length = unsafe withUnsafeMutableBytes(of: &value) {
      unsafe kernel.option(fd, level: SOL_SOCKET, name: SO_LINGER, $0)
    }
    return length == 8 && value.0 != 0 && value.1 == 0
  }

  /// What a turn does for the connections that linger, after its events.
  func goOnLingering() {
    for entry in lingering.takeReadable() {
      guard unsafe entry.io.pointee.generation == entry.generation else { continue }
      switch unsafe discard(entry.io.pointee.fd) {
      case .ended: unsafe endLingering(entry.io)
      case .more: lingering.keepReadable(entry)
      case .nothing, .some: break
      }
    }
    let now = kernel.monotonic()
    while let io = unsafe lingering.takeExpired(now: now) { unsafe endLingering(io) }
  }

  private func endLingering(_ io: ScheduledIOPointer) {
    lingering.noteEnd()
    unsafe closeEnded(io)
  }

  /// Connections that were closed with input unread, and wait for their peer to finish.
  public var lingeringCount: Int { lingering.count }

  /// Turns until no connection lingers, for `patience` nanoseconds at most, and closes those that
  /// are left. Does not wait on a kernel whose time stands still.
  package func lingerOut(_ patience: UInt64) {
    let end = kernel.monotonic() + patience
    while lingering.count > 0 {
      let before = kernel.monotonic()
      guard before < end, (try? turn(until: end)) != nil, kernel.monotonic() > before else { break }
    }
    while let io = unsafe lingering.takeExpired(now: .max) { unsafe endLingering(io) }
  }
}
