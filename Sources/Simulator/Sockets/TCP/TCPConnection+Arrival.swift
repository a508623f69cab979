import Glibc

// What arrives. Source: RFC 9293, section 3.10.7; RFC 5961 for resets and SYNs in a window.
extension TCPConnection {
  /// Takes a segment, which is the connection's from now on.
  func arrive(_ packet: PacketPointer) {
    keepAlive.heard = present
    keepAlive.probes = 0
    switch state {
    case .synSent: unsafe arriveInSynSent(packet)
    case .timeWait: unsafe arriveInTimeWait(packet)
    case .closed: unsafe network.packets.give(packet)
    default: unsafe arriveSynchronized(packet)
    }
  }

  // MARK: Opening

  private func arriveInSynSent(_ packet: PacketPointer) {
    defer { unsafe network.packets.give(packet) }
    let flags = unsafe packet.pointee.flags
    if flags.contains(.acknowledge) {
      let answered = unsafe position(acknowledged: packet)
      guard answered > bufferStart - 1, answered <= highest else {
        if !flags.contains(.reset) { unsafe node.tcp.refuse(packet, at: node) }
        return
      }
      if flags.contains(.reset) { return abort(ECONNREFUSED) }
    }
    guard flags.contains(.syn), !flags.contains(.reset) else { return }
    unsafe takeSYN(packet)
    guard flags.contains(.acknowledge) else {
      // Both sides have begun at once.
      state = .synReceived
      return sendSYN()
    }
    unsafe advance(to: bufferStart, packet)
    establish()
    acknowledge()
    output()
  }

  /// Takes the peer's first sequence number and its options.
  func takeSYN(_ packet: PacketPointer) {
    let start = unsafe UInt64(packet.pointee.sequence) + 1 << 32
    received.begin(at: start + 1)
    peerScale = unsafe packet.pointee.scale
    let limit = unsafe Int(packet.pointee.segmentLimit)
    segment = min(segment, limit == 0 ? TCPLimits.segmentDefault : limit)
    congestion = CongestionWindow(segment: segment)
    peerWindow = unsafe UInt64(packet.pointee.window)
    largestWindow = peerWindow
    windowSequence = start
  }

  private func establish() {
    state = .established
    timers.retransmit = .max
    if let listener { listener.complete(self) }
    setKeepAlive()
    signal(.writable)
  }

  /// The position that a segment acknowledges.
  private func position(acknowledged packet: PacketPointer) -> UInt64 {
    let number = unsafe packet.pointee.acknowledgement
    let difference = Int32(bitPattern: number &- UInt32(truncatingIfNeeded: unacknowledged))
    return unacknowledged &+ UInt64(bitPattern: Int64(difference))
  }

  // MARK: Open

  private func arriveSynchronized(_ packet: PacketPointer) {
    let start = unsafe received.position(of: packet.pointee.sequence)
    let flags = unsafe packet.pointee.flags
    let length = unsafe UInt64(packet.pointee.count) + (packet.hasEnd ? 1 : 0)
    let isInWindow = start + length >= received.next && start <= received.announced
    if flags.contains(.reset) {
      unsafe network.packets.give(packet)
      if start == received.next { return reset() }
      if isInWindow { acknowledge() }
      return
    }
    if flags.contains(.syn) {
      // The same SYN again, or a peer that has lost all memory of this connection: it resets it.
      unsafe network.packets.give(packet)
      return state == .synReceived && start + 1 == received.next ? sendSYN() : acknowledge()
    }
    guard isInWindow, flags.contains(.acknowledge), unsafe takeAcknowledgement(packet, start) else {
      unsafe network.packets.give(packet)
      if !isInWindow { acknowledge() }
      return
    }
    guard length > 0, state != .closed else { return unsafe network.packets.give(packet) }
    unsafe takeData(packet, at: start)
  }

  /// - Returns: false when the segment is not to be looked at any further.
  private func takeAcknowledgement(_ packet: PacketPointer, _ start: UInt64) -> Bool {
    let answered = unsafe position(acknowledged: packet)
    if state == .synReceived {
      guard answered > unacknowledged, answered <= highest else {
        unsafe node.tcp.refuse(packet, at: node)
        return false
      }
      // A full queue: the peer's next segment, or the next SYN with ACK, tries again.
      if let listener, !listener.hasRoom {
        unsafe node.network.note(packet, .backlog, at: node)
        return false
      }
      unsafe advance(to: bufferStart, packet)
      windowSequence = start
      establish()
    }
    if answered > highest {
      acknowledge()
      return false
    }
    let windowBefore = peerWindow
    unsafe takeWindow(packet, start, answered)
    if answered > unacknowledged {
      unsafe advance(to: answered, packet)
    } else if answered == unacknowledged, highest > unacknowledged, peerWindow == windowBefore,
      unsafe packet.pointee.count == 0, unsafe !packet.hasEnd
    {
      takeDuplicate()
    }
    output()
    return state != .closed
  }

  private func takeWindow(_ packet: PacketPointer, _ start: UInt64, _ answered: UInt64) {
    guard answered >= unacknowledged,
      start > windowSequence
        || start == windowSequence && answered >= windowAcknowledgement
    else { return }
    peerWindow = unsafe UInt64(packet.pointee.window) << UInt64(peerScale)
    largestWindow = max(largestWindow, peerWindow)
    (windowSequence, windowAcknowledgement) = (start, answered)
    unansweredProbes = 0
    if peerWindow > 0, timers.probe != .max {
      timers.probe = .max
      roundTrip.answered()
    }
  }

  /// What was sent is acknowledged up to `answered`.
  private func advance(to answered: UInt64, _ packet: PacketPointer) {
    let bytes = answered - unacknowledged
    unacknowledged = answered
    next = max(next, answered)
    lastProgress = present
    if timedEnd != 0, answered >= timedEnd {
      roundTrip.measured(present - timedAt)
      timedEnd = 0
    } else {
      roundTrip.answered()
    }
    let data = min(answered, dataEnd)
    if data > bufferStart {
      buffer.removeFirst(Int(data - bufferStart))
      bufferStart = data
    }
    timers.retransmit = highest > unacknowledged ? present + roundTrip.timeout : .max
    arm()
    let isHole = congestion.acknowledged(bytes, upTo: answered)
    if isHole, highest > unacknowledged { sendAgain() }
    if isEnding, answered > dataEnd { endAcknowledged() }
    if isWriterWaiting, isWritable {
      isWriterWaiting = false
      signal(.writable)
    }
  }

  private func takeDuplicate() {
    node.counters.duplicateAcknowledgements &+= 1
    guard congestion.duplicated(at: unacknowledged, inFlight: inFlight, sent: highest) else {
      return
    }
    node.counters.fastRetransmissions &+= 1
    sendAgain()
  }

  /// Sends the oldest segment that is not acknowledged once more.
  private func sendAgain() {
    let count = min(segment, Int(min(dataEnd, highest) - min(unacknowledged, dataEnd)))
    sendSegment(at: unacknowledged, count: count)
  }

  // MARK: Data

  private func takeData(_ packet: PacketPointer, at start: UInt64) {
    let end = unsafe start + UInt64(packet.pointee.count)
    // A program that has closed will never read it.
    if state == .finWait1 || state == .finWait2, isReadShut, end > received.next {
      unsafe network.packets.give(packet)
      sendReset()
      return abort(ECONNRESET)
    }
    let before = received.next
    switch unsafe received.take(packet, at: start, &network.packets) {
    case .old, .outside:
      unsafe network.packets.give(packet)
      acknowledge()
    case .kept: acknowledge()
    case .taken:
      if received.unread > 0 { signal(.readable) }
      if received.isEnded {
        peerEnded()
        acknowledge()
      } else {
        acknowledgeSoon(Int(received.next - before))
      }
    }
  }

  // MARK: Closing

  private func arriveInTimeWait(_ packet: PacketPointer) {
    let flags = unsafe packet.pointee.flags
    let start = unsafe received.position(of: packet.pointee.sequence)
    if flags.contains(.syn), !flags.contains(.reset), start > received.next {
      // A newer connection of the same ends.
      finish()
      return unsafe node.tcp.arrive(packet, at: node)
    }
    defer { unsafe network.packets.give(packet) }
    if flags.contains(.reset) { return start == received.next ? finish() : () }
    guard unsafe packet.pointee.count > 0 || packet.hasEnd else { return }
    timers.end = present + TCPLimits.timeWait
    arm()
    acknowledge()
  }
}
