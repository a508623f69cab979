import Glibc

// What happens when nothing came for a time.
extension TCPConnection {
  /// Makes sure that the world calls when the earliest timer runs out, or before.
  func arm() {
    let earliest = timers.earliest
    guard earliest < timers.pushed, let slot else { return }
    timers.pushed = earliest
    node.world.push(at: earliest, .timer, slot.word)
  }

  func timerEvent(at time: UInt64) {
    guard time == timers.pushed else { return }
    timers.pushed = .max
    if timers.end <= time { return finish() }
    if timers.retransmit <= time { retransmitTimeout() }
    if timers.probe <= time { probeTimeout() }
    if timers.acknowledge <= time { acknowledge() }
    if timers.cork <= time { uncork() }
    if timers.keepAlive <= time { keepAliveTimeout() }
    if state != .closed { arm() }
  }

  private func retransmitTimeout() {
    timers.retransmit = .max
    if hasTriedEnough { return abort(ETIMEDOUT) }
    node.counters.timeouts &+= 1
    if state == .synSent || state == .synReceived {
      roundTrip.backOff()
      return sendSYN()
    }
    guard highest > unacknowledged else { return }
    congestion.timedOut(inFlight: inFlight, sent: highest, isFirst: roundTrip.backoff == 0)
    roundTrip.backOff()
    timedEnd = 0
    // All that was sent counts as lost, and goes out again as acknowledgements come.
    next = unacknowledged
    output()
  }

  private var hasTriedEnough: Bool {
    if keepAlive.userTimeout > 0, state != .synReceived {
      return present - lastProgress >= keepAlive.userTimeout
    }
    let tries = roundTrip.backoff
    switch state {
    case .synSent: return tries >= TCPLimits.synRetries
    case .synReceived: return tries >= TCPLimits.synAckRetries
    default: return tries >= (socket == nil ? TCPLimits.orphanRetries : TCPLimits.dataRetries)
    }
  }

  /// Asks for the window again and again, for as long as the peer answers.
  private func probeTimeout() {
    timers.probe = .max
    guard next < dataEnd else { return }
    let limit = socket == nil ? TCPLimits.orphanRetries : TCPLimits.dataRetries
    if unansweredProbes >= limit { return abort(ETIMEDOUT) }
    unansweredProbes += 1
    roundTrip.backOff()
    timers.probe = present + roundTrip.timeout
    sendProbe()
  }

  func uncork() {
    timers.cork = .max
    let wasCorked = isCorked
    isCorked = false
    output()
    isCorked = wasCorked
  }

  // MARK: Keepalive

  /// Starts or stops asking, as SO_KEEPALIVE says.
  func setKeepAlive() {
    timers.keepAlive = .max
    guard keepAlive.options.keepsAlive, isConnected, !isOver else { return }
    keepAlive.probes = 0
    timers.keepAlive = max(keepAlive.heard + keepAlive.idle, present)
    arm()
  }

  private func keepAliveTimeout() {
    timers.keepAlive = .max
    guard !isOver else { return }
    let silence = present - keepAlive.heard
    // What is on its way asks already.
    guard silence >= keepAlive.idle, highest == unacknowledged, buffer.isEmpty else {
      if silence >= keepAlive.idle { keepAlive.heard = present }
      timers.keepAlive = keepAlive.heard + keepAlive.idle
      return
    }
    let isTooLong =
      keepAlive.userTimeout > 0
      ? silence >= keepAlive.userTimeout && keepAlive.probes > 0
      : keepAlive.probes >= keepAlive.options.keepCount
    if isTooLong {
      sendReset()
      return abort(ETIMEDOUT)
    }
    keepAlive.probes += 1
    timers.keepAlive = present + keepAlive.interval
    sendProbe()
  }
}
