/// One thing that happened in a world: 48 bytes, the same on every machine.
public struct LogRecord: Sendable, Hashable {
  /// What happened.
  public enum Kind: UInt8, Sendable {
    /// `detail` is the protocol's number; `argument` the number of the packet.
    case packetSent = 1
    case packetReceived
    /// `detail` is the `DropReason`.
    case packetDropped
    /// A process of the node was started, and ended; `argument` counts them.
    case started
    case ended
    case killed
    case poweredOff
    case poweredOn
    case paused
    case resumed
    /// `argument` is the step in nanoseconds, or the drift in parts of 10^9.
    case clockStepped
    case clockDrifted
    /// The process wrote to the descriptor `detail`; `hash` is of the bytes.
    case output
    /// A rule was set, a condition imposed or lifted; `argument` is its number.
    case ruleSet
    case imposed
    case lifted
    /// The node ran; `argument` is how many nanoseconds that took it.
    case turn
    /// The owner's notes; `detail` and `argument` are its own.
    case note = 128
  }

  /// Nanoseconds of the world.
  public var time: UInt64
  /// Counts the records.
  public var sequence: UInt64
  /// The node that it happened at, and the other one that it concerns; `UInt32.max` for none.
  public var node: UInt32
  public var peer: UInt32
  public var argument: UInt64
  /// Of the bytes that it is about.
  public var hash: UInt64
  public var length: UInt32
  /// Ports of a packet: source and destination. 0 otherwise.
  var ports: UInt32
  var kindAndDetail: UInt16

  public static let noNode = UInt32.max

  public var kind: Kind? { Kind(rawValue: UInt8(truncatingIfNeeded: kindAndDetail)) }
  public var detail: UInt8 { UInt8(kindAndDetail >> 8) }
  public var sourcePort: UInt16 { UInt16(ports >> 16) }
  public var destinationPort: UInt16 { UInt16(truncatingIfNeeded: ports) }

  /// The six words that the log is made of, and its hash.
  var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) {
    (
      time, sequence << 16 | UInt64(kindAndDetail), UInt64(node) << 32 | UInt64(peer), argument,
      hash, UInt64(length) << 32 | UInt64(ports)
    )
  }
}
