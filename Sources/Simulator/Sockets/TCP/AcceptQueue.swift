/// The connections of a listener that no program has accepted yet.
struct AcceptQueue {
  var backlog: Int
  /// A SYN came, and its SYN with ACK is not acknowledged.
  var halfOpen: [TCPConnection] = []
  /// Established, oldest first, from `taken` on.
  var complete: [TCPConnection] = []
  private var taken = 0

  init(backlog: Int) { self.backlog = backlog }

  var isEmpty: Bool { taken == complete.count }

  var waiting: ArraySlice<TCPConnection> { complete[taken...] }

  /// Linux lets one more wait than the backlog says.
  var hasRoom: Bool { complete.count - taken <= backlog }

  mutating func take() -> TCPConnection? {
    guard taken < complete.count else { return nil }
    defer {
      taken += 1
      if taken > 32, taken * 2 > complete.count {
        complete.removeFirst(taken)
        taken = 0
      }
    }
    return complete[taken]
  }
}
