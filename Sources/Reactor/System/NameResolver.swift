internal import CLinux
import Glibc
import Synchronization

/// Looks up names with getaddrinfo(3), which blocks, in at most four threads.
///
/// A thread starts when there is work for it, and ends when there is none. It holds this object
/// and nothing else, so that one which is stuck in a look-up keeps neither the kernel nor the
/// process alive.
final class NameResolver: Sendable {
  static let maximumThreads = 4
  static let maximumLookups = 1024
  private static let maximumAddresses = 64

  private enum Phase {
    case waiting
    case running
    case done(Resolution, announced: Bool)
  }

  private struct Lookup {
    let token: UInt64
    /// Tells look-ups apart when a token is used again after its look-up was cancelled.
    let serial: UInt64
    let host: String
    let service: String
    var phase = Phase.waiting
  }

  private struct State {
    /// In the order of asking.
    var lookups: [Lookup] = []
    var threads = 0
    var serial: UInt64 = 0
    /// nil after `stop()`.
    var waker: Waker?
  }

  private let state: Mutex<State>

  init(waker: Waker) { state = Mutex(State(waker: waker)) }

  /// Forgets every look-up, and the waker with its descriptor.
  func stop() {
    state.withLock { state in
      state.lookups = []
      state.waker = nil
    }
  }

  // MARK: The poller's side

  /// Returns 0, `-EINVAL` for names that getaddrinfo would misread, `-EAGAIN` at the limit,
  /// `-EEXIST` when the token has a look-up, or the error of starting the first thread.
  func start(_ token: UInt64, host: String, service: String) -> Int32 {
    guard Self.isPlain(host), Self.isPlain(service), Self.isService(service) else {
      return -EINVAL
    }
    return state.withLock { state in
      guard state.lookups.count < Self.maximumLookups else { return -EAGAIN }
      guard !state.lookups.contains(where: { $0.token == token }) else { return -EEXIST }
      if state.threads < Self.maximumThreads {
        let result = startThread()
        if result == 0 {
          state.threads += 1
        } else if state.threads == 0 {
          return result
        }
      }
      state.serial += 1
      state.lookups.append(
        Lookup(token: token, serial: state.serial, host: host, service: service))
      return 0
    }
  }

  private static func isPlain(_ text: String) -> Bool { !text.utf8.contains(0) }

  /// A number above 65,535 is no service: the C library would take it modulo 65,536.
  private static func isService(_ text: String) -> Bool {
    let isNumber = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return !isNumber || text.isEmpty || UInt16(text) != nil
  }

  func take(_ token: UInt64) -> Resolution? {
    state.withLock { state in
      guard let index = state.lookups.firstIndex(where: { $0.token == token }),
        case .done(let resolution, _) = state.lookups[index].phase
      else { return nil }
      state.lookups.remove(at: index)
      return resolution
    }
  }

  func cancel(_ token: UInt64) {
    state.withLock { state in state.lookups.removeAll { $0.token == token } }
  }

  /// Adds an event for every answer that is new. Those for which there is no room come with the
  /// next poll.
  func announce(into batch: EventBatch) {
    state.withLock { state in
      for index in state.lookups.indices {
        guard case .done(let resolution, announced: false) = state.lookups[index].phase else {
          continue
        }
        let event = KernelEvent(token: state.lookups[index].token, ready: .readable)
        guard batch.append(event) else {
          state.waker?.wake()
          return
        }
        state.lookups[index].phase = .done(resolution, announced: true)
      }
    }
  }

  // MARK: The threads' side

  private func startThread() -> Int32 {
    let context = unsafe Unmanaged.passRetained(self)
    let result = unsafe linux_start_thread(
      { context in
        guard let context = unsafe context else { return }
        unsafe Unmanaged<NameResolver>.fromOpaque(context).takeRetainedValue().work()
      }, context.toOpaque())
    if result != 0 { unsafe context.release() }
    return result
  }

  private func work() {
    while let lookup = next() {
      finish(lookup, Self.resolve(lookup.host, lookup.service))
    }
  }

  /// Takes the first look-up that waits. nil: this thread is over.
  private func next() -> Lookup? {
    state.withLock { state in
      for index in state.lookups.indices {
        guard case .waiting = state.lookups[index].phase else { continue }
        state.lookups[index].phase = .running
        return state.lookups[index]
      }
      state.threads -= 1
      return nil
    }
  }

  private func finish(_ lookup: Lookup, _ resolution: Resolution) {
    state.withLock { state in
      guard let index = state.lookups.firstIndex(where: { $0.serial == lookup.serial }) else {
        return  // cancelled
      }
      state.lookups[index].phase = .done(resolution, announced: false)
      state.waker?.wake()
    }
  }

  private static func resolve(_ host: String, _ service: String) -> Resolution {
    unsafe withUnsafeTemporaryAllocation(
      of: linux_address.self, capacity: maximumAddresses
    ) { addresses in
      guard let start = addresses.baseAddress else { return .init(failure: -10, errno: 0) }
      var count: Int32 = 0
      var error: Int32 = 0
      let capacity = Int32(addresses.count)
      let result =
        service.isEmpty
        ? unsafe linux_resolve(host, nil, start, capacity, &count, &error)
        : unsafe linux_resolve(host, service, start, capacity, &count, &error)
      guard result == 0 else { return Resolution(failure: result, errno: error) }
      return .addresses(unsafe addresses.prefix(Int(count)).map { SocketAddress(raw: $0) })
    }
  }
}
