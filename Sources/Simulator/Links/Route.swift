/// How packets get from a node to an address.
enum Route {
  /// The address is the node's own.
  case loopback
  /// It is that of the node with this index.
  case node(UInt32)

  /// The most data of a TCP segment, by the MTU.
  func segment(_ local: InternetAddress) -> Int {
    switch self {
    case .loopback: TCPLimits.segmentLoopback
    case .node: local.isIPv4 ? TCPLimits.segmentIPv4 : TCPLimits.segmentIPv6
    }
  }
}
