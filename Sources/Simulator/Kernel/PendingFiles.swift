import Reactor

/// The files of a process that have something to report, in the order in which that came: the
/// ready list of an edge-triggered epoll.
struct PendingFiles {
  private var files: [OpenFile] = []

  var isEmpty: Bool { files.isEmpty }

  mutating func append(_ file: OpenFile) { files.append(file) }

  mutating func removeAll() { files.removeAll() }

  /// Reports what is ready of each file now, and drops it from the list. Those that the batch has
  /// no room for stay.
  mutating func report(into batch: EventBatch) {
    guard !files.isEmpty else { return }
    var index = 0
    while index < files.count, batch.capacity - batch.count >= max(files[index].watches.count, 1) {
      Self.report(files[index], into: batch)
      index += 1
    }
    if index == files.count {
      files.removeAll(keepingCapacity: true)
    } else {
      files.removeFirst(index)
    }
  }

  private static func report(_ file: OpenFile, into batch: EventBatch) {
    file.isPending = false
    let events = file.events
    for watch in file.watches {
      let seen = events.intersection(watch.events.union([.error, .hangUp]))
      guard !seen.isEmpty else { continue }
      batch.append(KernelEvent(token: watch.token, ready: Ready(epollEvents: seen.rawValue)))
    }
  }
}
