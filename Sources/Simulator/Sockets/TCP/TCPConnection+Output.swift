import Glibc

// Sending: segments, acknowledgements, ends.
extension TCPConnection {
  /// Sends what the windows allow, and what is worth a segment. Source: RFC 9293, section 3.8.6.2.
  func output() {
    guard state != .synSent, state != .synReceived, !isOver else { return }
    while true {
      let end = dataEnd
      let limit = unacknowledged + min(peerWindow, congestion.size)
      guard next < end else {
        // The end of the stream needs no window.
        if isEnding, next == end { sendSegment(at: next, count: 0) }
        break
      }
      let waiting = Int(end - next)
      let count = min(segment, waiting, Int(limit > next ? limit - next : 0))
      guard count > 0, isWorthSending(count, of: waiting) else {
        if next == unacknowledged { startProbing() }
        break
      }
      sendSegment(at: next, count: count)
    }
  }

  /// A full segment always is; a part when it is the last there is and nothing is on its way
  /// (RFC 896), or half of what the peer takes at most.
  private func isWorthSending(_ count: Int, of waiting: Int) -> Bool {
    if count >= segment { return true }
    if next < highest { return true }
    let isLast = count == waiting
    if isLast, isEnding { return true }
    if isLast, isCorked {
      if timers.cork == .max { timers.cork = present + TCPLimits.cork }
      arm()
      return false
    }
    if isLast { return !isNagling || next == unacknowledged }
    return UInt64(count) * 2 >= largestWindow && largestWindow > 0
  }

  /// Sends `count` bytes of the buffer from a position on, with the end of the stream if that
  /// comes next.
  func sendSegment(at position: UInt64, count: Int) {
    let behind = position + UInt64(count)
    let ends = isEnding && behind == dataEnd
    var flags: TCPFlags = .acknowledge
    if count > 0, behind == dataEnd { flags.insert(.push) }
    if ends { flags.insert(.fin) }
    let end = behind + (ends ? 1 : 0)
    if highest == unacknowledged { lastProgress = present }
    let isAgain = position < highest
    if isAgain {
      noteRetransmission()
    } else if timedEnd == 0 {
      (timedEnd, timedAt) = (end, present)
    }
    let packet = unsafe network.packets.make(.tcp, from: local, to: remote, count: count)
    if let payload = unsafe packet.pointee.payload {
      unsafe buffer.copy(from: Int(position - bufferStart), count: count, to: payload)
    }
    next = max(next, end)
    highest = max(highest, end)
    if timers.retransmit == .max { timers.retransmit = present + roundTrip.timeout }
    timers.probe = .max
    unsafe packet.pointee.isRetransmission = isAgain
    unsafe transmit(packet, at: position, flags)
    arm()
  }

  /// What is sent again has no clear answer: its time says nothing (Karn's rule, RFC 6298).
  private func noteRetransmission() {
    timedEnd = 0
    node.counters.retransmissions &+= 1
  }

  private func transmit(_ packet: PacketPointer, at position: UInt64, _ flags: TCPFlags) {
    unsafe packet.pointee.sequence = UInt32(truncatingIfNeeded: position)
    unsafe packet.pointee.flags = flags
    if flags.contains(.acknowledge) {
      unsafe packet.pointee.acknowledgement = UInt32(truncatingIfNeeded: received.next)
      unanswered = 0
      timers.acknowledge = .max
    }
    if flags.contains(.syn) {
      unsafe packet.pointee.window = UInt16(min(received.room, 65_535))
      unsafe packet.pointee.segmentLimit = UInt16(route.segment(local.address))
      unsafe packet.pointee.scale = TCPLimits.windowScale
    } else if !flags.contains(.reset) {
      unsafe packet.pointee.window = received.window(
        scale: TCPLimits.windowScale, segment: segment)
    }
    unsafe network.send(packet, from: node, to: route)
  }

  private func sendBare(_ flags: TCPFlags, at position: UInt64, isAgain: Bool = false) {
    let packet = unsafe network.packets.make(.tcp, from: local, to: remote, count: 0)
    unsafe packet.pointee.isRetransmission = isAgain
    unsafe transmit(packet, at: position, flags)
  }

  /// Sends a SYN, or in answer to one a SYN with ACK, for the first time or again.
  func sendSYN() {
    let first = bufferStart - 1
    let isAgain = highest > first
    if isAgain {
      noteRetransmission()
    } else {
      (timedEnd, timedAt) = (first + 1, present)
      lastProgress = present
    }
    next = first + 1
    highest = first + 1
    timers.retransmit = present + roundTrip.timeout
    sendBare(state == .synSent ? .syn : [.syn, .acknowledge], at: first, isAgain: isAgain)
    arm()
  }

  func acknowledge() { sendBare(.acknowledge, at: highest) }

  /// Asks for an answer with a segment that the peer has seen already.
  func sendProbe() { sendBare(.acknowledge, at: unacknowledged - 1) }

  func sendReset() {
    node.counters.resets &+= 1
    sendBare([.reset, .acknowledge], at: highest)
  }

  /// Acknowledges data at once, or together with data that may follow soon.
  func acknowledgeSoon(_ count: Int) {
    unanswered += count
    if unanswered >= min(2 * segment, received.room / 2) { return acknowledge() }
    if timers.acknowledge == .max {
      timers.acknowledge = present + TCPLimits.delayedAck
      arm()
    }
  }

  private func startProbing() {
    guard timers.probe == .max, timers.retransmit == .max, !buffer.isEmpty else { return }
    timers.probe = present + roundTrip.timeout
    arm()
  }
}
