/// Some of the nodes of a world.
public struct NodeSet: Sendable {
  private enum Members {
    case all
    /// Bit n: the node with the index n.
    case bits([UInt64])
  }

  private let members: Members

  /// Every node, also those that come later.
  public static let all = NodeSet(members: .all)

  private init(members: Members) { self.members = members }

  public init(_ nodes: some Sequence<Node>) {
    var bits: [UInt64] = []
    for node in nodes {
      let word = Int(node.index / 64)
      while bits.count <= word { bits.append(0) }
      bits[word] |= 1 << UInt64(node.index % 64)
    }
    members = .bits(bits)
  }

  func contains(_ index: UInt32) -> Bool {
    switch members {
    case .all: return true
    case .bits(let bits):
      let word = Int(index / 64)
      return word < bits.count && bits[word] & 1 << UInt64(index % 64) != 0
    }
  }
}
