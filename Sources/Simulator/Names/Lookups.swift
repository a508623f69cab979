import Glibc
import Reactor

/// The look-ups of a process, in the order of asking.
struct Lookups {
  static let limit = 1_024

  private struct Lookup {
    let token: UInt64
    let resolution: Resolution
    /// When the answer is there, a moment of the world.
    let ready: UInt64
    var isAnnounced = false
  }

  private var lookups: [Lookup] = []

  /// When the next answer comes that was not announced.
  var nextReady: UInt64 {
    var earliest = UInt64.max
    for lookup in lookups where !lookup.isAnnounced { earliest = min(earliest, lookup.ready) }
    return earliest
  }

  mutating func start(_ token: UInt64, _ resolution: Resolution, ready: UInt64) -> Int32 {
    guard lookups.count < Self.limit else { return -EAGAIN }
    guard !lookups.contains(where: { $0.token == token }) else { return -EEXIST }
    lookups.append(Lookup(token: token, resolution: resolution, ready: ready))
    return 0
  }

  mutating func take(_ token: UInt64, at now: UInt64) -> Resolution? {
    guard let index = lookups.firstIndex(where: { $0.token == token && $0.ready <= now }) else {
      return nil
    }
    return lookups.remove(at: index).resolution
  }

  mutating func cancel(_ token: UInt64) { lookups.removeAll { $0.token == token } }

  mutating func announce(into batch: EventBatch, at now: UInt64) {
    for index in lookups.indices where !lookups[index].isAnnounced && lookups[index].ready <= now {
      guard batch.append(KernelEvent(token: lookups[index].token, ready: .readable)) else { return }
      lookups[index].isAnnounced = true
    }
  }
}
