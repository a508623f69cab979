import Simulator
import Testing

@Suite struct `Link rules` {
  @Test func `a rule is read in netem's words`() throws {
    let rule = try LinkRule(
      parsing: "delay 20ms 5ms 25% distribution normal loss 1% 2% duplicate 0.1% reorder 5% gap 3"
        + " corrupt 0.1% rate 10mbit limit 500")
    #expect(rule.delay == 20_000_000 && rule.jitter == 5_000_000)
    #expect(rule.delayCorrelation == Chance(1, in: 4))
    #expect(rule.distribution == .normal)
    #expect(rule.loss == .random(.init(Chance(1, in: 100), correlation: Chance(2, in: 100))))
    #expect(rule.duplicate.chance == Chance(1, in: 1_000))
    #expect(rule.reorder.chance == Chance(5, in: 100) && rule.gap == 3)
    #expect(rule.corrupt.chance == Chance(1, in: 1_000))
    #expect(rule.rate == 10_000_000 && rule.limit == 500)
    #expect(try LinkRule(parsing: "rate 1mbit").limit == 1_000)
    #expect(try LinkRule(parsing: "") == LinkRule())
    #expect(try LinkRule(parsing: "drop").loss == .random(.init(.always)))
  }

  @Test func `loss models have the defaults of netem`() throws {
    #expect(
      try LinkRule(parsing: "loss gemodel 1% 10%").loss
        == .gemodel(p: Chance(1, in: 100), r: Chance(10, in: 100), bad: .always, good: .never))
    #expect(
      try LinkRule(parsing: "loss gemodel 1%").loss
        == .gemodel(
          p: Chance(1, in: 100), r: Chance(1, in: 100).complement, bad: .always, good: .never))
    #expect(
      try LinkRule(parsing: "loss state 1% 20%").loss
        == .state(
          p13: Chance(1, in: 100), p31: Chance(20, in: 100), p32: .never, p23: .always,
          p14: .never))
  }

  @Test(arguments: [
    ("delay", 6, "the delay is missing, such as 20ms"),
    ("delay 20xs", 7, "\"20xs\" is not a time: use ns, us, ms, s, min or h"),
    ("delay 20", 7, "\"20\" is not a time: use ns, us, ms, s, min or h"),
    ("delay 1ms loss 1", 16, "\"1\" is not a part of the whole: use 0% to 100%"),
    ("loss 101%", 6, "\"101%\" is not a part of the whole: use 0% to 100%"),
    ("  lost 1%", 3, "unknown word \"lost\": use delay, distribution, loss, duplicate,"),
    ("delay 1ms distribution gauss", 24, "unknown distribution \"gauss\": use uniform, normal"),
    ("limit 0", 7, "\"0\" is not a limit: use a whole number from 1 to 100000000"),
    ("rate 10", 6, "\"10\" is not a rate: use bit, kbit, mbit or gbit, or bps … for bytes"),
    ("delay 25h", 7, "a delay is at most 24h"),
    ("reorder 5%", 1, "reorder needs a delay, which some packets skip"),
  ])
  func `a rule that does not parse names the place`(_ text: String, _ column: Int, _ reason: String)
  {
    do throws(LinkRuleError) {
      _ = try LinkRule(parsing: text)
      Issue.record("\"\(text)\" parsed")
    } catch {
      #expect(error.column == column)
      #expect(error.reason.hasPrefix(reason), "\(error)")
    }
  }

  @Test func `quantities are whole numbers, and nothing else is one`() {
    #expect(Quantity.nanoseconds("1.5ms") == 1_500_000)
    #expect(Quantity.nanoseconds("10min") == 600_000_000_000)
    #expect(Quantity.nanoseconds("0.000000001s") == 1)
    #expect(Quantity.bitsPerSecond("2.5mbps") == 20_000_000)
    for text in ["", "s", ".5s", "5.s", "1e3s", "-1s", "1 s", "99999999999999999999s", "1.1.1s"] {
      #expect(Quantity.nanoseconds(text) == nil, "\(text)")
    }
    #expect(Quantity.nanoseconds("999999999h") == nil)
    #expect(Quantity.chance("0.000000001%") != nil)
    #expect(Quantity.chance("100.1%") == nil)
  }
}
