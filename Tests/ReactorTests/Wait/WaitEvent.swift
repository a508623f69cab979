/// What can happen to waiters and queues.
enum WaitEvent: Hashable, CustomStringConvertible {
  /// Waits in one queue, or in several at once.
  case park(Int, in: [Int], deadline: Int?)
  case grant(Int)
  case grantNext(Int)
  /// Somebody does for the first of a queue what it waits to do.
  case complete(Int)
  case cancel(Int)
  case close(Int)
  /// Time passes, by one.
  case tick
  /// Who was woken first runs, and then does this.
  case run(Next)

  enum Next: Hashable {
    /// It has used its turn (`finish`).
    case isDone
    /// It found nothing, and waits again where it waited before.
    case waitsAgain
    /// It waits for something else, and gives its turn up.
    case waits(in: [Int])
  }

  var description: String {
    switch self {
    case .park(let waiter, let queues, let deadline):
      "park \(waiter) in \(queues) until \(deadline.map(String.init) ?? "ever")"
    case .grant(let queue): "grant \(queue)"
    case .grantNext(let queue): "grant next \(queue)"
    case .complete(let queue): "complete \(queue)"
    case .cancel(let waiter): "cancel \(waiter)"
    case .close(let queue): "close \(queue)"
    case .tick: "tick"
    case .run(let next): "run, \(next)"
    }
  }
}
