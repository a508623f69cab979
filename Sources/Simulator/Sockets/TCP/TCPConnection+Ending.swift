import Glibc

// How a connection ends: in order, by a reset, or forgotten.
extension TCPConnection {
  /// Ends sending: the peer sees the end of the stream behind what was written.
  func shutdownWrite() {
    guard !isWriteShut else { return }
    isWriteShut = true
    switch state {
    case .established: state = .finWait1
    case .closeWait: state = .lastAck
    default: return
    }
    isEnding = true
    output()
    signal([.writable, .hangUp])
  }

  /// The peer's end of the stream was received.
  func peerEnded() {
    switch state {
    case .established: state = .closeWait
    case .finWait1: state = .closing
    case .finWait2: wait()
    default: break
    }
    signal([.readable, .peerClosed, .hangUp])
  }

  /// The peer has all that was written, and knows that it is all.
  func endAcknowledged() {
    switch state {
    case .finWait1:
      state = .finWait2
      if socket == nil {
        timers.end = present + TCPLimits.timeWait
        arm()
      }
    case .closing: wait()
    case .lastAck: finish()
    default: break
    }
  }

  /// TIME_WAIT: stays to answer what the peer may send again.
  private func wait() {
    state = .timeWait
    timers.stop()
    timers.end = present + TCPLimits.timeWait
    arm()
    signal([.readable, .writable, .peerClosed, .hangUp])
  }

  /// The program has closed its socket.
  func socketClosed(resets: Bool) {
    socket = nil
    switch state {
    case .closed: break
    case .synSent: finish()
    case .timeWait: break
    case _ where resets || received.unread > 0:
      sendReset()
      finish()
    default:
      isReadShut = true
      if state == .finWait2 {
        timers.end = present + TCPLimits.timeWait
        arm()
      }
      shutdownWrite()
    }
    received.removeAll(&network.packets)
  }

  /// The peer has reset the connection.
  func reset() {
    switch state {
    case .closeWait: abort(EPIPE)
    default: abort(ECONNRESET)
    }
  }

  /// Ends at once. What was received in order can still be read.
  func abort(_ code: Int32) {
    error = code
    let events: PollEvents = [.readable, .writable, .error, .hangUp, .peerClosed]
    let listener = listener
    let wasHalfOpen = state == .synReceived
    finish()
    if wasHalfOpen {
      listener?.forget(self)
      self.listener = nil
    }
    signal(events)
  }

  /// Leaves the node's table and stops all timers.
  func finish() {
    guard state != .closed else { return }
    state = .closed
    timers.stop()
    buffer.removeAll()
    if socket == nil, listener == nil { received.removeAll(&network.packets) }
    if let slot { node.world.timers.remove(slot) }
    slot = nil
    node.tcp.remove(self)
  }

  /// The node has lost its power.
  func vanish() {
    socket = nil
    listener = nil
    received.removeAll(&network.packets)
    finish()
  }

  /// Its listener is gone before anybody accepted it.
  func discard(resets: Bool) {
    listener = nil
    if resets, !isOver { sendReset() }
    finish()
    received.removeAll(&network.packets)
  }
}
