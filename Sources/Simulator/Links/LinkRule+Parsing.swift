extension LinkRule {
  /// Reads a rule in netem's words:
  /// "delay 20ms 5ms 25% distribution normal loss 1% duplicate 0.1% rate 10mbit limit 1000".
  ///
  /// | words | meaning |
  /// |---|---|
  /// | delay TIME [JITTER [CORRELATION]] | how long packets take |
  /// | distribution NAME | of the jitter: uniform, normal, pareto, paretonormal, exponential |
  /// | loss [random] CHANCE [CORRELATION] | losses one by one |
  /// | loss gemodel P [R [1-H [1-K]]] | losses in bad times (Gilbert-Elliott) |
  /// | loss state P13 [P31 [P32 [P23 [P14]]]] | losses by four states |
  /// | duplicate, corrupt, mangle CHANCE [CORRELATION] | copies; broken packets |
  /// | reorder CHANCE [CORRELATION] [gap N] | some overtake; needs a delay |
  /// | rate RATE, limit PACKETS | bandwidth, and the length of the queue |
  /// | drop, hold | nothing passes; everything waits |
  public init(parsing text: String) throws(LinkRuleError) {
    self.init()
    var words = Words(text)
    while let word = words.next() {
      switch word.text {
      case "delay": try readDelay(&words)
      case "distribution": distribution = try words.distribution()
      case "loss": loss = try words.loss()
      case "duplicate": duplicate = try words.correlated()
      case "corrupt": corrupt = try words.correlated()
      case "mangle": mangle = try words.correlated()
      case "reorder": reorder = try words.correlated()
      case "gap": gap = try words.count("gap", 1...1_000_000)
      case "rate": rate = try words.rate()
      case "limit": limit = try words.count("limit", 1...100_000_000)
      case "drop": loss = .random(Correlated(.always))
      case "hold": holds = true
      default:
        throw word.error(
          "unknown word \"\(word.text)\": use delay, distribution, loss, duplicate, corrupt,"
            + " mangle, reorder, gap, rate, limit, drop or hold")
      }
    }
    if rate > 0, limit == 0 { limit = Self.defaultLimit }
    if reorder.chance > .never, delay == 0 {
      throw LinkRuleError(column: 1, reason: "reorder needs a delay, which some packets skip")
    }
  }

  /// The queue of a link with a rate, in packets: netem's.
  private static let defaultLimit: UInt32 = 1_000

  private mutating func readDelay(_ words: inout Words) throws(LinkRuleError) {
    delay = try words.time("delay")
    guard words.isTime else { return }
    jitter = try words.time("jitter")
    if words.isChance { delayCorrelation = try words.chance("correlation") }
  }
}

/// The words of a rule, one by one.
private struct Words {
  struct Word {
    let text: Substring
    let column: Int

    func error(_ reason: String) -> LinkRuleError { LinkRuleError(column: column, reason: reason) }
  }

  private var words: [Word] = []
  private var index = 0
  private let end: Int

  init(_ text: String) {
    end = text.count + 1
    var column = 1
    for part in text.split(separator: " ", omittingEmptySubsequences: false) {
      if !part.isEmpty { words.append(Word(text: part, column: column)) }
      column += part.count + 1
    }
  }

  private var peek: Word? { index < words.count ? words[index] : nil }

  mutating func next() -> Word? {
    defer { index += 1 }
    return peek
  }

  private mutating func needed(_ what: String, _ example: String) throws(LinkRuleError) -> Word {
    guard let word = next() else {
      throw LinkRuleError(column: end, reason: "\(what) is missing, such as \(example)")
    }
    return word
  }

  var isTime: Bool { peek.flatMap { Quantity.nanoseconds($0.text) } != nil }
  var isChance: Bool { peek.map { $0.text.utf8.last == UInt8(ascii: "%") } ?? false }

  mutating func time(_ what: String) throws(LinkRuleError) -> UInt64 {
    let word = try needed("the \(what)", "20ms")
    guard let time = Quantity.nanoseconds(word.text) else {
      throw word.error("\"\(word.text)\" is not a time: use ns, us, ms, s, min or h")
    }
    guard time <= 86_400_000_000_000 else {
      throw word.error("a \(what) is at most 24h")
    }
    return time
  }

  mutating func chance(_ what: String) throws(LinkRuleError) -> Chance {
    let word = try needed("the \(what)", "1%")
    guard let chance = Quantity.chance(word.text) else {
      throw word.error("\"\(word.text)\" is not a part of the whole: use 0% to 100%")
    }
    return chance
  }

  mutating func correlated() throws(LinkRuleError) -> LinkRule.Correlated {
    let chance = try chance("chance")
    return LinkRule.Correlated(
      chance, correlation: isChance ? try self.chance("correlation") : .never)
  }

  mutating func rate() throws(LinkRuleError) -> UInt64 {
    let word = try needed("the rate", "10mbit")
    guard let rate = Quantity.bitsPerSecond(word.text), rate > 0 else {
      throw word.error(
        "\"\(word.text)\" is not a rate: use bit, kbit, mbit or gbit, or bps … for bytes")
    }
    return rate
  }

  mutating func count(
    _ what: String, _ range: ClosedRange<UInt32>
  ) throws(LinkRuleError) -> UInt32 {
    let word = try needed("the \(what)", "1000")
    guard let count = UInt32(word.text), range.contains(count) else {
      throw word.error(
        "\"\(word.text)\" is not a \(what): use a whole number from \(range.lowerBound) to"
          + " \(range.upperBound)")
    }
    return count
  }

  mutating func distribution() throws(LinkRuleError) -> Distribution {
    let word = try needed("the distribution", "normal")
    switch word.text {
    case "uniform": return .uniform
    case "normal": return .normal
    case "pareto": return .pareto
    case "paretonormal": return .paretonormal
    case "exponential": return .exponential
    default:
      throw word.error(
        "unknown distribution \"\(word.text)\": use uniform, normal, pareto, paretonormal or"
          + " exponential")
    }
  }

  mutating func loss() throws(LinkRuleError) -> LinkRule.Loss {
    switch peek?.text {
    case "gemodel":
      index += 1
      let p = try chance("chance of bad times")
      let r = try isChance ? chance("r") : p.complement
      let bad = try isChance ? chance("1-h") : .always
      return .gemodel(p: p, r: r, bad: bad, good: try isChance ? chance("1-k") : .never)
    case "state":
      index += 1
      let p13 = try chance("chance of state 3")
      let p31 = try isChance ? chance("p31") : p13.complement
      let p32 = try isChance ? chance("p32") : .never
      let p23 = try isChance ? chance("p23") : .always
      return .state(
        p13: p13, p31: p31, p32: p32, p23: p23, p14: try isChance ? chance("p14") : .never)
    case "random": index += 1
    default: break
    }
    return .random(try correlated())
  }
}
