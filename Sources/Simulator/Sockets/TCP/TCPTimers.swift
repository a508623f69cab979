/// What a connection waits for, as moments of the world; `UInt64.max` is never.
///
/// Only the earliest one is an event in the heap, and it is pushed when it is earlier than the
/// event that is there. An event that comes too early pushes the next one: so a timeout that each
/// acknowledgement puts off costs nothing.
struct TCPTimers {
  /// Sends again what was not acknowledged.
  var retransmit = UInt64.max
  /// Asks for the window of a peer that has announced none.
  var probe = UInt64.max
  /// Sends an acknowledgement that waited for data to go with.
  var acknowledge = UInt64.max
  /// Sends what a cork has held back.
  var cork = UInt64.max
  /// Asks whether an idle peer is still there.
  var keepAlive = UInt64.max
  /// Ends TIME_WAIT, or FIN_WAIT_2 of a closed socket.
  var end = UInt64.max

  /// The event in the heap that is meant; others are stale.
  var pushed = UInt64.max

  var earliest: UInt64 {
    min(min(retransmit, probe), min(acknowledge, cork), min(keepAlive, end))
  }

  mutating func stop() {
    let pushed = pushed
    self = TCPTimers()
    self.pushed = pushed
  }
}
