/// A rule that lies over links for a time: a fault of the network, such as a burst of losses or
/// a partition.
struct Condition {
  let id: ConditionID
  /// From where to where.
  let paths: [(from: NodeSet, to: NodeSet)]
  let rule: Int32
  /// Packets that are on their way are lost as well.
  let cuts: Bool
  /// Names its random numbers.
  let stream: UInt64

  func covers(_ from: UInt32, _ to: UInt32) -> Bool {
    paths.contains { $0.from.contains(from) && $0.to.contains(to) }
  }
}

/// Names a condition that was imposed, until it is lifted.
public struct ConditionID: Hashable, Sendable {
  let number: Int
}
