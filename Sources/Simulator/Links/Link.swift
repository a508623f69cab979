/// One direction between two nodes, made when its first packet comes.
struct Link {
  let from: UInt32
  let to: UInt32
  /// The network's rules as of this version are what the link knows.
  var version: UInt32
  /// Packets that were sent so far: the number of the next one's draws.
  var packets: UInt64 = 0
  var base: LinkStage
  /// The conditions that lie over it, in the order in which they were imposed.
  var conditions: [(id: ConditionID, stage: LinkStage)] = []
  /// Packets that are on it, counted while a rule has a limit.
  var queued: UInt32 = 0
  var limit: UInt32 = 0
  var holds = false
  var cuts = false
}
