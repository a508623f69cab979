internal import CLinux
import Synchronization

/// Ends the wait of an epoll from another thread.
///
/// Wakes are merged: only the first one after a wait has begun costs a system call, and none does
/// while the poller is busy, as it then looks at the state before it waits.
final class Waker: Sendable {
  /// The token of the eventfd, which no registration may have.
  static let token = UInt64.max

  /// What the poller is doing. `notified`: somebody wants it to look around.
  private enum State {
    static let running: UInt8 = 0
    static let waiting: UInt8 = 1
    static let notified: UInt8 = 2
  }

  /// An eventfd. It is edge-triggered, so every write is an event and nobody needs to read it
  /// (2^64 writes would fill it).
  let descriptor: Int32
  private let state = Atomic<UInt8>(State.running)

  init() throws(SystemError) {
    descriptor = linux_eventfd()
    guard descriptor >= 0 else { throw SystemError(descriptor, in: "eventfd") }
  }

  deinit { _ = linux_close(descriptor) }

  func wake() {
    let before = state.exchange(State.notified, ordering: .acquiringAndReleasing)
    if before == State.waiting { _ = linux_eventfd_signal(descriptor) }
  }

  /// Says that the poller is about to wait. True: there was a wake since the last wait.
  @inline(__always)
  func willWait() -> Bool {
    state.exchange(State.waiting, ordering: .acquiringAndReleasing) == State.notified
  }

  /// Says that the poller is busy again. True: there was a wake.
  @inline(__always)
  func isRunning() -> Bool {
    state.exchange(State.running, ordering: .acquiringAndReleasing) == State.notified
  }
}
