/// What a registration was ready for at one moment, dated by a generation for each direction.
///
/// `Registration.clearReadiness(_:)` clears only what has not been reported anew since.
public struct ReadyEvent: Sendable, Equatable {
  public let ready: Ready
  package let readGeneration: UInt64
  package let writeGeneration: UInt64
  /// The registration that it is of.
  package let token: UInt64

  package init(ready: Ready, readGeneration: UInt64, writeGeneration: UInt64, token: UInt64) {
    self.ready = ready
    self.readGeneration = readGeneration
    self.writeGeneration = writeGeneration
    self.token = token
  }

  public var isReadable: Bool { !ready.isDisjoint(with: [.readable, .readClosed]) }
  public var isWritable: Bool { !ready.isDisjoint(with: [.writable, .writeClosed]) }
  public var isReadClosed: Bool { ready.contains(.readClosed) }
  public var isWriteClosed: Bool { ready.contains(.writeClosed) }
  public var isPriority: Bool { ready.contains(.priority) }
  public var isError: Bool { !ready.isDisjoint(with: .error) }
}
