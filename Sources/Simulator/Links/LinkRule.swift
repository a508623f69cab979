/// What a link does to packets: netem's words, and a few more. Times are nanoseconds.
/// Source: tc-netem(8).
///
/// Two things differ from netem: a correlation repeats the last draw instead of mixing with it, so
/// that the chances stay what they are; and jitter that is not uniform has exactly the deviation
/// that was asked for.
public struct LinkRule: Sendable, Equatable {
  /// How long a packet is on its way, how much that varies, and how.
  public var delay: UInt64 = 0
  public var jitter: UInt64 = 0
  public var distribution = Distribution.uniform
  public var loss = Loss.none
  /// Each packet comes twice.
  public var duplicate = Correlated.never
  /// A bit is flipped, which the receiver's checksum finds: the packet is dropped there.
  public var corrupt = Correlated.never
  /// A bit of the payload is flipped, and the checksum is right: the program gets it.
  public var mangle = Correlated.never
  /// Of every `gap` packets, one may skip the delay and overtake the others.
  public var reorder = Correlated.never
  public var gap: UInt32 = 1
  /// How much a packet's delay is like that of the one before it.
  public var delayCorrelation = Chance.never
  /// Bits a second; 0: without a limit.
  public var rate: UInt64 = 0
  /// The most packets that are on the link; 0: without a limit.
  public var limit: UInt32 = 0
  /// Packets wait until the rule is lifted, and go on then.
  public var holds = false

  /// A rule that does nothing.
  public init() {}

  /// A chance, and how much each draw is like the one before it.
  public struct Correlated: Sendable, Equatable {
    public var chance: Chance
    public var correlation: Chance

    public static let never = Correlated(.never)

    public init(_ chance: Chance, correlation: Chance = .never) {
      self.chance = chance
      self.correlation = correlation
    }
  }

  /// Which packets get lost.
  public enum Loss: Sendable, Equatable {
    case none
    case random(Correlated)
    /// Gilbert-Elliott: bad times begin with `p` and end with `r`; the chances of loss in bad
    /// and in good times.
    case gemodel(p: Chance, r: Chance, bad: Chance, good: Chance)
    /// Four states: 1 good, 2 good within a burst, 3 lost within a burst, 4 lost alone.
    case state(p13: Chance, p31: Chance, p32: Chance, p23: Chance, p14: Chance)
  }
}
