/// A rule at work on one direction of a link: what it has to remember.
struct LinkStage {
  /// Which rule of the network.
  let rule: Int32
  private var lossState: UInt8 = 1
  private var sinceReorder: UInt32 = 0
  /// The last draws, of those that are correlated.
  private var lastDelay: UInt32 = 0
  private var lastLoss: UInt32 = 0
  private var lastDuplicate: UInt32 = 0
  private var lastCorrupt: UInt32 = 0
  private var lastMangle: UInt32 = 0
  private var lastReorder: UInt32 = 0
  private let stream: RandomStream
  /// Until when earlier packets take up the bandwidth.
  private var busyUntil: UInt64 = 0

  init(rule: Int32, stream: RandomStream) {
    self.rule = rule
    self.stream = stream
  }

  /// What each draw of a packet is for: streams of their own, so that a rule without losses
  /// gives its packets the same delays.
  private enum Draw: UInt64 {
    case loss = 1, lossOutcome, duplicate, corrupt, mangle, delay, reorder
  }

  @inline(__always)
  private func draw(_ purpose: Draw, _ packet: UInt64) -> UInt64 {
    stream.at(packet << 3 | purpose.rawValue)
  }

  /// A draw that is the last one again, as often as `correlation` says: so the draws that follow
  /// each other are alike, and all of them together are as they would be without.
  @inline(__always)
  private func draw(
    _ purpose: Draw, _ packet: UInt64, _ correlation: Chance, _ last: inout UInt32
  ) -> UInt32 {
    let bits = draw(purpose, packet)
    let fresh = UInt32(truncatingIfNeeded: bits >> 32)
    guard correlation > .never else { return fresh }
    if !correlation.contains(bits << 32) { last = fresh }
    return last
  }

  /// Decides about a packet: whether it is lost, doubled, broken, and when it arrives.
  mutating func pass(
    _ rule: borrowing LinkRule, packet: UInt64, size: UInt64, at time: UInt64, _ fate: inout Fate
  ) {
    if rule.duplicate.chance > .never, happens(rule.duplicate, .duplicate, packet, \.lastDuplicate)
    {
      fate.copies += 1
    }
    if rule.loss != .none, isLost(rule.loss, packet) { fate.isLost = true }
    if rule.corrupt.chance > .never, happens(rule.corrupt, .corrupt, packet, \.lastCorrupt) {
      fate.isCorrupt = true
    }
    if rule.mangle.chance > .never, happens(rule.mangle, .mangle, packet, \.lastMangle) {
      fate.mangled = UInt32(truncatingIfNeeded: draw(.mangle, packet)) | 1
    }
    if fate.isLost { return }
    var start = time
    if rule.rate > 0 {
      start = max(time, busyUntil) &+ Self.duration(size, rule.rate)
      busyUntil = start
    }
    fate.delay &+= start &- time &+ delay(rule, packet)
  }

  /// How long one more copy of a packet is on its way.
  mutating func delay(_ rule: borrowing LinkRule, _ packet: UInt64) -> UInt64 {
    if rule.reorder.chance > .never, skipsDelay(rule, packet) { return 0 }
    guard rule.jitter > 0 else { return rule.delay }
    let position = draw(.delay, packet, rule.delayCorrelation, &lastDelay)
    let (high, low) = Int64(clamping: rule.jitter).multipliedFullWidth(
      by: rule.distribution.value(at: position))
    let offset = high << 48 | Int64(bitPattern: low >> 16)
    return UInt64(max(Int64(clamping: rule.delay) &+ offset, 0))
  }

  private mutating func skipsDelay(_ rule: borrowing LinkRule, _ packet: UInt64) -> Bool {
    sinceReorder += 1
    guard sinceReorder >= rule.gap, happens(rule.reorder, .reorder, packet, \.lastReorder) else {
      return false
    }
    sinceReorder = 0
    return true
  }

  @inline(__always)
  private mutating func happens(
    _ event: LinkRule.Correlated, _ purpose: Draw, _ packet: UInt64,
    _ last: WritableKeyPath<LinkStage, UInt32>
  ) -> Bool {
    var before = self[keyPath: last]
    let bits = draw(purpose, packet, event.correlation, &before)
    self[keyPath: last] = before
    return event.chance.contains(UInt64(bits) << 32)
  }

  private mutating func isLost(_ loss: LinkRule.Loss, _ packet: UInt64) -> Bool {
    switch loss {
    case .none: return false
    case .random(let event): return happens(event, .loss, packet, \.lastLoss)
    case .gemodel(let p, let r, let bad, let good):
      let wasBad = lossState == 2
      let turns = (wasBad ? r : p).contains(draw(.loss, packet))
      if turns { lossState = wasBad ? 1 : 2 }
      return (wasBad ? bad : good).contains(draw(.lossOutcome, packet))
    case .state(let p13, let p31, let p32, let p23, let p14):
      let bits = draw(.loss, packet) >> 32
      switch lossState {
      case 1: lossState = bits < p14.parts ? 4 : bits < p14.parts + p13.parts ? 3 : 1
      case 2: lossState = bits < p23.parts ? 3 : 2
      case 3: lossState = bits < p32.parts ? 2 : bits < p32.parts + p31.parts ? 1 : 3
      default: lossState = 1
      }
      return lossState >= 3
    }
  }

  /// Nanoseconds that `size` bytes take at a rate in bits a second.
  private static func duration(_ size: UInt64, _ rate: UInt64) -> UInt64 {
    (size * 8_000_000_000 + rate - 1) / rate
  }
}

/// What becomes of a packet on a link.
struct Fate {
  var isLost = false
  var isCorrupt = false
  /// Not 0: which bit of the payload is flipped, modulo its length.
  var mangled: UInt32 = 0
  /// Copies that are sent beside the packet.
  var copies = 0
  /// Nanoseconds.
  var delay: UInt64 = 0
}
