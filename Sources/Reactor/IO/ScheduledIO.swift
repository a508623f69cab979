/// The driver's end of a registration: readiness, its generations, and who waits for it.
///
/// Lives in a slot that outlasts it. `generation` tells whether the slot still is what it was.
@safe
package struct ScheduledIO {
  /// One for each direction: how often the kernel reported it.
  var readGeneration: UInt64 = 0
  var writeGeneration: UInt64 = 0
  /// Those whose turn it is to read or write, one at a time.
  package var readers = WaitQueue()
  package var writers = WaitQueue()
  /// Those who wait for readiness itself, woken all together.
  package var watchers = WaitQueue()
  package var fd: Int32 = -1
  let slot: UInt32
  var generation: UInt32 = 1
  package var ready: Ready = []
  package var interest: Interest = []
  package var traits: Traits = []

  init(slot: UInt32) { self.slot = slot }

  var token: Token { Token(slot: slot, generation: generation) }

  package struct Traits: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static var live: Traits { Traits(rawValue: 1) }
    /// A read of fewer bytes than asked for proves that nothing is left: plain TCP sockets.
    package static var shortReadMeansEmpty: Traits { Traits(rawValue: 2) }
    /// A write of fewer bytes than offered proves that there is no room: streams and pipes.
    package static var shortWriteMeansFull: Traits { Traits(rawValue: 16) }
    /// What holds for a TCP connection.
    package static var plainStream: Traits { [.shortReadMeansEmpty, .shortWriteMeansFull] }
    /// A regular file: the kernel does not report it, and it never blocks.
    package static var alwaysReady: Traits { Traits(rawValue: 4) }
    /// The driver has shut down.
    package static var shutdown: Traits { Traits(rawValue: 8) }
    /// The descriptor was closed by others, and its number names something else now.
    package static var lost: Traits { Traits(rawValue: 32) }
    /// Closed, and waiting for the peer to finish: not live any more.
    package static var lingering: Traits { Traits(rawValue: 64) }
    /// No wait begins any more.
    package static var over: Traits { [.shutdown, .lost] }
  }
}

package typealias ScheduledIOPointer = UnsafeMutablePointer<ScheduledIO>

/// A direction of transfer, and what belongs to it.
package enum Direction: Sendable {
  case read, write

  package var mask: Ready { self == .read ? .readSide : .writeSide }
}
