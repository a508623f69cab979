import Glibc
import Synchronization

@testable import Reactor

/// A kernel with the few verbs that tests use in a row, and a limit for every wait.
struct Fixture {
  let kernel: LinuxKernel
  let batch: EventBatch

  init(batchCapacity: Int = 64) throws {
    kernel = try LinuxKernel()
    batch = EventBatch(capacity: batchCapacity)
  }

  /// Collects what is there, without waiting.
  func events() -> [KernelEvent] {
    _ = kernel.poll(until: 0, into: batch)
    return (0..<batch.count).map { batch[$0] }
  }

  /// Waits until an event of `token` has come, and returns everything that it reported.
  /// Empty after 30 seconds.
  func ready(_ token: UInt64, until wanted: Ready = []) -> Ready {
    let deadline = kernel.monotonic() + 30_000_000_000
    var seen: Ready = []
    while kernel.monotonic() < deadline {
      _ = kernel.poll(until: deadline, into: batch)
      for index in 0..<batch.count where batch[index].token == token {
        seen.formUnion(batch[index].ready)
      }
      if !seen.isEmpty, seen.isSuperset(of: wanted) { return seen }
    }
    return []
  }

  func socketPair(
    _ kind: Int32 = SocketKind.stream, family: Int32 = AF_UNIX
  ) -> (Int32, Int32) {
    var (first, second): (Int32, Int32) = (-1, -1)
    _ = kernel.socketPair(family, kind, 0, &first, &second)
    return (first, second)
  }

  func pipe() -> (read: Int32, write: Int32) {
    var (read, write): (Int32, Int32) = (-1, -1)
    _ = kernel.pipe(&read, &write)
    return (read, write)
  }

  /// Makes a listener on a free port of the loopback interface.
  func listener() -> (fd: Int32, address: SocketAddress) {
    let fd = kernel.socket(AF_INET, SocketKind.stream, 0)
    var address = SocketAddress(127, 0, 0, 1, port: 0)
    _ = kernel.bind(fd, address)
    _ = kernel.listen(fd, backlog: 16)
    _ = kernel.localAddress(fd, &address)
    return (fd, address)
  }

  /// Makes two ends of a TCP connection.
  func tcpPair() -> (Int32, Int32) {
    let (listener, address) = listener()
    let client = kernel.socket(AF_INET, SocketKind.stream, 0)
    _ = kernel.register(listener, .read, token: 9_000)
    _ = kernel.connect(client, address)
    _ = ready(9_000)
    var peer = SocketAddress()
    let server = kernel.accept(listener, &peer)
    close(listener)
    return (client, server)
  }

  func write(_ fd: Int32, _ text: String) -> Int {
    unsafe [UInt8](text.utf8).withUnsafeBytes { unsafe kernel.write(fd, $0) }
  }

  func send(_ fd: Int32, _ text: String, flags: Int32 = 0) -> Int {
    unsafe [UInt8](text.utf8).withUnsafeBytes { unsafe kernel.send(fd, $0, flags: flags) }
  }

  /// Reads up to 64 bytes: how many there were or `-errno`, and the text.
  func read(_ fd: Int32) -> (count: Int, text: String) {
    unsafe filled { unsafe kernel.read(fd, $0) }
  }

  func receive(_ fd: Int32, flags: Int32 = 0) -> (count: Int, text: String) {
    unsafe filled { unsafe kernel.receive(fd, $0, flags: flags) }
  }

  func filled(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> (count: Int, text: String) {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe body($0) }
    return (count, String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self))
  }

  /// Writes until there is no room. Returns the bytes that fitted.
  func fill(_ fd: Int32) -> Int {
    let block = [UInt8](repeating: 0x61, count: 65_536)
    var total = 0
    while true {
      let count = unsafe block.withUnsafeBytes { unsafe kernel.write(fd, $0) }
      if count <= 0 { return total }
      total += count
    }
  }

  func close(_ fds: Int32...) {
    for fd in fds { _ = kernel.close(fd) }
  }

  /// The descriptors that this process has, and one more for reading the directory.
  func descriptorCount() -> Int {
    var names: [String] = []
    guard let path = CPath("/proc/self/fd") else { return -1 }
    _ = kernel.list(path, &names)
    return names.count
  }
}

/// The numbers of socket(2), which Glibc's module has as an enumeration.
enum SocketKind {
  static let stream: Int32 = 1
  static let datagram: Int32 = 2
  static let raw: Int32 = 3
  static let seqpacket: Int32 = 5
}

/// The numbers of recvmsg(2).
enum MessageFlags {
  static let urgent: Int32 = 0x01
  static let truncated: Int32 = 0x20
}

/// Runs `body` in a thread of its own, which a test can block without blocking the others.
func inThread(_ body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let box = unsafe Unmanaged.passRetained(Box(body))
  _ = unsafe pthread_create(
    &thread, nil,
    { context in
      guard let context = unsafe context else { return nil }
      unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  _ = pthread_detach(thread)
}

/// Lets one thread wait until another has got somewhere.
final class Latch: Sendable {
  private let isOpen = Atomic(false)

  func open() { isOpen.store(true, ordering: .releasing) }
  func wait() { while !isOpen.load(ordering: .acquiring) { sched_yield() } }
}
