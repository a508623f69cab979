import Glibc
import Reactor

/// What a descriptor stands for: a socket, an end of a pipe, a file. Several descriptors may
/// stand for the same one.
///
/// The verbs answer as Linux does, `-errno` below zero; those that a file does not have answer
/// with the error of the call made on a wrong kind of descriptor.
class OpenFile {
  @safe unowned(unsafe) let node: Node
  /// Descriptors that stand for it.
  @safe @exclusivity(unchecked) var references = 0
  @safe @exclusivity(unchecked) private(set) var watches: [Watch] = []
  /// Stands in the kernel's list of those that have something to report.
  @safe @exclusivity(unchecked) var isPending = false

  /// A registration: a descriptor of this file, its token, and the events that it asks for.
  struct Watch {
    let fd: Int32
    let token: UInt64
    let events: PollEvents
  }

  init(node: Node) { self.node = node }

  // MARK: Readiness

  /// What is ready now.
  var events: PollEvents { [] }

  /// Tells those who watch that `events` may have begun: an edge.
  final func signal(_ events: PollEvents) {
    guard !isPending, !watches.isEmpty else { return }
    let always: PollEvents = [.error, .hangUp]
    guard watches.contains(where: { !$0.events.union(always).isDisjoint(with: events) }) else {
      return
    }
    guard let kernel = node.kernel else { return }
    isPending = true
    kernel.addPending(self)
  }

  final func addWatch(_ watch: Watch) -> Int32 {
    if watches.contains(where: { $0.fd == watch.fd }) { return -EEXIST }
    watches.append(watch)
    let now = events
    if !now.isEmpty { signal(now) }
    return 0
  }

  final func removeWatch(of fd: Int32) -> Int32 {
    guard let index = watches.firstIndex(where: { $0.fd == fd }) else { return -ENOENT }
    watches.remove(at: index)
    return 0
  }

  /// A descriptor, or a message that passed it, stands for this file no more.
  final func release() {
    references -= 1
    guard references == 0 else { return }
    watches.removeAll()
    close()
  }

  /// As `release()`, of a node that has lost its power.
  final func forget() {
    references -= 1
    watches.removeAll()
    if references == 0 { vanish() }
  }

  // MARK: Verbs

  var kind: DescriptorKind { .other }

  /// The last descriptor was closed.
  func close() {}

  /// The node has lost its power: as `close()`, but nobody is told.
  func vanish() { close() }

  func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int { Int(-EINVAL) }
  func write(_ bytes: UnsafeRawBufferPointer) -> Int { Int(-EINVAL) }
  func receive(_ buffer: UnsafeMutableRawBufferPointer, flags: Int32) -> Int { Int(-ENOTSOCK) }
  func send(_ bytes: UnsafeRawBufferPointer, flags: Int32) -> Int { Int(-ENOTSOCK) }

  func receiveMessage(
    _ buffer: UnsafeMutableRawBufferPointer, flags: Int32, _ message: inout Message
  ) -> Int { Int(-ENOTSOCK) }

  func sendMessage(
    _ bytes: UnsafeRawBufferPointer, flags: Int32, _ message: borrowing Message
  ) -> Int { Int(-ENOTSOCK) }

  func bind(_ address: borrowing SocketAddress) -> Int32 { -ENOTSOCK }
  func listen(backlog: Int32) -> Int32 { -ENOTSOCK }
  /// Takes a connection from a listener's queue.
  func accept(_ peer: inout SocketAddress, _ result: inout Int32) -> OpenFile? {
    result = -ENOTSOCK
    return nil
  }
  func connect(_ address: borrowing SocketAddress) -> Int32 { -ENOTSOCK }
  func shutdown(how: Int32) -> Int32 { -ENOTSOCK }
  func localAddress(_ address: inout SocketAddress) -> Int32 { -ENOTSOCK }
  func peerAddress(_ address: inout SocketAddress) -> Int32 { -ENOTSOCK }
  func option(level: Int32, name: Int32, _ value: UnsafeMutableRawBufferPointer) -> Int32 {
    -ENOTSOCK
  }
  func setOption(level: Int32, name: Int32, _ value: UnsafeRawBufferPointer) -> Int32 {
    -ENOTSOCK
  }
  func seek(offset: Int64, whence: Int32) -> Int64 { Int64(-ESPIPE) }
  func synchronize() -> Int32 { -EINVAL }
  func truncate(length: Int64) -> Int32 { -EINVAL }
}
