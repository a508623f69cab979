/// Why a wait ended. ORDER LR_REASON (CLua.h)
public enum WakeReason: UInt8, Sendable {
  /// Not a wake-up: the call runs for the first time.
  case first = 0
  /// What was waited for may be there: try again.
  case ready
  /// The deadline passed first.
  case timeout
  /// Whoever waited was cancelled.
  case cancelled
  /// What was waited on was closed.
  case closed
  /// The reactor shuts down.
  case shutdown
}

/// The public name of a waiter: stays harmless after the waiter is gone.
public struct WaiterID: Sendable, Hashable {
  package let slot: UInt32
  package let generation: UInt32
}

/// A place in a queue.
@safe
package struct WaitNode {
  var previous: UnsafeMutablePointer<WaitNode>?
  var next: UnsafeMutablePointer<WaitNode>?
  /// The queue that this node stands in; nil when it stands in none.
  var queue: UnsafeMutablePointer<WaitQueue>?
  /// The bits of readiness that end the wait, for queues that look at them.
  var mask: Ready = []
  /// Woken because it is its turn. It keeps its place until it has run.
  var isGranted = false
  /// Whether this is the node of a `WaitCase`, and not a waiter's own.
  var isCase = false
  /// In a waiter's own node: the first of its cases. In a case: the next one. 0 is none.
  var nextCase: UInt32 = 0
}

/// Whoever waits, seen from the reactor: a task of a script, or a Swift caller.
/// A waiter waits for one end at a time, in one queue or in several.
@safe
package struct Waiter {
  enum State: UInt8 {
    case free, idle, parked, woken
  }

  /// Its place in the one queue in which it waits, or in which it was granted its turn.
  var node = WaitNode()
  /// The next one in the list of those that were woken, or of those that are free.
  var nextWoken: UnsafeMutablePointer<Waiter>?
  /// The owner's word: the scheduler keeps its task here.
  package var tag: UInt
  /// The deadline of the whole call, in monotonic nanoseconds; `UInt64.max` is none. A wait
  /// may end earlier, when the call has a pause of its own.
  package var limit: UInt64 = .max
  var generation: UInt32 = 1
  var slot: UInt32
  var heapIndex: Int32 = -1
  var state = State.idle
  package var reason = WakeReason.first
  /// Which of its cases ended the last wait that it had in several queues, from 1 on. 0: none.
  package var caseNumber: UInt16 = 0
}

package typealias WaiterPointer = UnsafeMutablePointer<Waiter>

/// Those who wait for the same thing, in the order in which they came: a ring of nodes.
@safe
package struct WaitQueue {
  package var head: UnsafeMutablePointer<WaitNode>?

  package init() {}

  package var isEmpty: Bool { unsafe head == nil }

  /// Whether `waiter` comes next.
  package func isFirst(_ waiter: WaiterPointer) -> Bool {
    unsafe head == UnsafeMutableRawPointer(waiter).assumingMemoryBound(to: WaitNode.self)
  }
}

package typealias WaitQueuePointer = UnsafeMutablePointer<WaitQueue>
