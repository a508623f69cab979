/// What a connection has received: in order, for the reader; out of order, until the gap before
/// it is filled; and the window that it has announced.
///
/// Positions are sequence numbers that do not wrap.
@safe
struct ReceiveQueue {
  /// The next byte that is to come.
  private(set) var next: UInt64 = 0
  /// The end of the window that was announced: it never moves back.
  private(set) var announced: UInt64 = 0
  /// Bytes that wait to be read.
  private(set) var unread = 0
  /// How many bytes may wait.
  var room = TCPLimits.receiveRoom
  /// The stream has ended, behind what waits to be read.
  private(set) var isEnded = false
  private var inOrder = PacketQueue()
  /// By position, the first one first.
  private var later: [PacketPointer] = unsafe []

  mutating func begin(at position: UInt64) {
    next = position
    announced = position + UInt64(room)
  }

  // MARK: Positions

  /// The position of a sequence number near the next one.
  func position(of sequence: UInt32) -> UInt64 {
    let difference = Int32(bitPattern: sequence &- UInt32(truncatingIfNeeded: next))
    return next &+ UInt64(bitPattern: Int64(difference))
  }

  /// The window to announce from now on, in units of 2^`scale` bytes.
  ///
  /// It does not grow by little steps (RFC 9293, section 3.8.6.2.2), nor shrink.
  mutating func window(scale: UInt8, segment: Int) -> UInt16 {
    let free = UInt64(max(room - unread, 0))
    let wanted = next + free
    if wanted >= announced + UInt64(min(segment, room / 2)) { announced = wanted }
    announced = max(announced, next)
    let unit = UInt64(1) << UInt64(scale)
    let units = min((announced - next + unit - 1) >> UInt64(scale), 65_535)
    if units == 65_535 { announced = min(announced, next + units << UInt64(scale)) }
    return UInt16(units)
  }

  /// Whether reading has opened the window so far that its sender should hear of it.
  func deservesUpdate(segment: Int) -> Bool {
    let announcedNow = announced - min(next, announced)
    let free = UInt64(max(room - unread, 0))
    return free >= 2 * announcedNow && free >= announcedNow + UInt64(min(segment, room / 2))
  }

  // MARK: Arrival

  /// What came of a segment with data or the end of the stream.
  enum Outcome { case taken, kept, old, outside }

  /// Takes a segment at `start`; it is the queue's, unless the answer is `old` or `outside`.
  mutating func take(_ packet: PacketPointer, at start: UInt64, _ pool: inout PacketPool) -> Outcome
  {
    let end = unsafe start + UInt64(packet.pointee.count) + (packet.hasEnd ? 1 : 0)
    if end <= next { return .old }
    if start > next {
      guard start < announced else { return .outside }
      return unsafe keep(packet, at: start) ? .kept : .old
    }
    // The last byte that fits; the end of the stream needs no room.
    let dataEnd = unsafe start + UInt64(packet.pointee.count)
    guard next < announced || dataEnd <= next else { return .outside }
    unsafe append(packet, at: start, &pool)
    while let first = unsafe later.first, case let begin = unsafe position(of: first), begin <= next
    {
      unsafe later.removeFirst()
      let end = unsafe begin + UInt64(first.pointee.count) + (first.hasEnd ? 1 : 0)
      if end <= next { unsafe pool.give(first) } else { unsafe append(first, at: begin, &pool) }
    }
    return .taken
  }

  private func position(of packet: PacketPointer) -> UInt64 {
    unsafe position(of: packet.pointee.sequence)
  }

  private mutating func append(_ packet: PacketPointer, at start: UInt64, _ pool: inout PacketPool)
  {
    let skipped = next - start
    let count = unsafe UInt64(packet.pointee.count)
    let hasEnd = unsafe packet.hasEnd
    next = start + count
    if hasEnd {
      next += 1
      isEnded = true
    }
    if skipped < count {
      unsafe packet.pointee.taken = UInt32(skipped)
      unread += Int(count - skipped)
      unsafe inOrder.append(packet)
    } else {
      unsafe pool.give(packet)
    }
  }

  /// - Returns: false when the same is there already.
  private mutating func keep(_ packet: PacketPointer, at start: UInt64) -> Bool {
    var index = unsafe later.count
    while index > 0, case let before = unsafe later[index - 1], unsafe position(of: before) >= start
    {
      if unsafe position(of: before) == start, unsafe before.pointee.count >= packet.pointee.count {
        return false
      }
      index -= 1
    }
    unsafe later.insert(packet, at: index)
    return true
  }

  // MARK: Reading

  /// Copies what waits into `buffer`, and drops it unless `peeks`.
  mutating func read(
    _ buffer: UnsafeMutableRawBufferPointer, peeks: Bool, _ pool: inout PacketPool
  ) -> Int {
    var filled = 0
    var packet = unsafe inOrder.first
    while filled < buffer.count, let current = unsafe packet {
      let offset = unsafe Int(current.pointee.taken)
      let left = unsafe Int(current.pointee.count) - offset
      let part = min(left, buffer.count - filled)
      if let source = unsafe current.pointee.payload, let target = buffer.baseAddress {
        unsafe (target + filled).copyMemory(from: source + offset, byteCount: part)
      }
      filled += part
      unsafe packet = unsafe current.pointee.next
      if peeks { continue }
      unsafe current.pointee.taken += UInt32(part)
      if part == left, let done = unsafe inOrder.takeFirst() { unsafe pool.give(done) }
    }
    if !peeks { unread -= filled }
    return filled
  }

  mutating func removeAll(_ pool: inout PacketPool) {
    while let packet = unsafe inOrder.takeFirst() { unsafe pool.give(packet) }
    for index in unsafe later.indices { unsafe pool.give(later[index]) }
    unsafe later.removeAll()
    unread = 0
  }
}

extension PacketPointer {
  /// Whether the stream ends behind this segment.
  var hasEnd: Bool { unsafe pointee.flags.contains(.fin) }
}
