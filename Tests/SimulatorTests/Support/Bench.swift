import Glibc
import Reactor
import Simulator

/// A world with programs of tests on its nodes: a program is a closure that runs whenever its
/// node is woken, and never otherwise. A wake-up that is missing leaves it standing.
final class Bench {
  let world: World
  private(set) var processes: [Process] = []

  init(seed: UInt64 = 1) {
    world = World(seed: seed)
    world.onTurn = { [unowned self] node in processes[Int(node.index)].turn() }
  }

  /// Adds a node whose program does nothing yet.
  func node(_ name: String) -> Process {
    guard let node = world.addNode(name) else { fatalError("the name \(name) is taken") }
    let process = Process(node)
    processes.append(process)
    return process
  }

  func run(seconds: Double) { world.run(until: world.now + UInt64(seconds * 1e9)) }
}

/// A process of a test, and the verbs of its kernel in short.
final class Process {
  let node: Node
  private(set) var kernel: SimulatedKernel
  /// What it does when it is woken.
  var program: (Process) -> Void = { _ in }
  /// When it wants to be woken, in monotonic nanoseconds.
  var deadline: UInt64?
  /// What the last polls reported, by token, which is the descriptor.
  var events: [Int32: Ready] = [:]
  private(set) var turns = 0
  private let batch = EventBatch(capacity: 64)

  init(_ node: Node) {
    self.node = node
    kernel = node.start()
  }

  func restart() { kernel = node.start() }

  fileprivate func turn() {
    turns += 1
    _ = kernel.poll(until: deadline, into: batch)
    for index in 0..<batch.count {
      let event = batch[index]
      events[Int32(truncatingIfNeeded: event.token), default: []].formUnion(event.ready)
    }
    program(self)
  }

  /// Takes what was reported of a descriptor.
  func taken(_ fd: Int32) -> Ready { events.removeValue(forKey: fd) ?? [] }

  func address(_ port: UInt16) -> SocketAddress { node.address(port: port) }

  // MARK: Sockets

  func socket(_ kind: Int32 = 1, family: Int32 = AF_INET) -> Int32 {
    let fd = kernel.socket(family, kind, 0)
    if fd >= 0 { watch(fd) }
    return fd
  }

  func watch(_ fd: Int32) {
    _ = kernel.register(fd, [.read, .write], token: UInt64(fd))
  }

  func listener(_ port: UInt16, backlog: Int32 = 128, reuse: Bool = false) -> Int32 {
    let fd = socket()
    if reuse { set(fd, SOL_SOCKET, SO_REUSEADDR, 1) }
    let bound = kernel.bind(fd, SocketAddress(0, 0, 0, 0, port: port))
    if bound < 0 { return bound }
    let result = kernel.listen(fd, backlog: backlog)
    return result < 0 ? result : fd
  }

  func accept(_ fd: Int32) -> Int32 {
    var peer = SocketAddress()
    let result = kernel.accept(fd, &peer)
    if result >= 0 { watch(result) }
    return result
  }

  /// Begins to connect. Returns the socket; what connect said is in `connectResult`.
  func connect(_ address: SocketAddress) -> Int32 {
    let fd = socket()
    connectResult = kernel.connect(fd, address)
    return fd
  }
  private(set) var connectResult: Int32 = 0

  func send(_ fd: Int32, _ bytes: [UInt8], flags: Int32 = 0) -> Int {
    unsafe bytes.withUnsafeBytes { unsafe kernel.send(fd, $0, flags: flags) }
  }

  func send(_ fd: Int32, _ bytes: [UInt8], to address: SocketAddress) -> Int {
    unsafe bytes.withUnsafeBytes {
      unsafe kernel.sendMessage(fd, $0, flags: 0, Message(address: address))
    }
  }

  /// Receives. nil: nothing is there; the error is in `receiveError`, 0 for none.
  func receive(_ fd: Int32, _ count: Int = 65_536, flags: Int32 = 0) -> [UInt8]? {
    var room = [UInt8](repeating: 0, count: count)
    let result = unsafe room.withUnsafeMutableBytes { unsafe kernel.receive(fd, $0, flags: flags) }
    receiveError = result < 0 && result != -Int(EAGAIN) ? Int32(-result) : 0
    return result < 0 ? nil : [UInt8](room.prefix(result))
  }
  private(set) var receiveError: Int32 = 0

  func receiveFrom(_ fd: Int32, _ count: Int = 65_536) -> ([UInt8], Message)? {
    var room = [UInt8](repeating: 0, count: count)
    var message = Message()
    let result = unsafe room.withUnsafeMutableBytes {
      unsafe kernel.receiveMessage(fd, $0, flags: 0, &message)
    }
    return result < 0 ? nil : ([UInt8](room.prefix(result)), message)
  }

  /// SO_ERROR, which is told once.
  func error(_ fd: Int32) -> Int32 { option(fd, SOL_SOCKET, SO_ERROR) }

  func option(_ fd: Int32, _ level: Int32, _ name: Int32) -> Int32 {
    var value: Int32 = 0
    let result = unsafe withUnsafeMutableBytes(of: &value) {
      unsafe kernel.option(fd, level: level, name: name, $0)
    }
    return result < 0 ? result : value
  }

  func set(_ fd: Int32, _ level: Int32, _ name: Int32, _ value: Int32, _ second: Int32? = nil) {
    let values = [value] + (second.map { [$0] } ?? [])
    unsafe values.withUnsafeBytes {
      _ = unsafe kernel.setOption(fd, level: level, name: name, $0)
    }
  }

  func local(_ fd: Int32) -> SocketAddress {
    var address = SocketAddress()
    _ = kernel.localAddress(fd, &address)
    return address
  }

  func peer(_ fd: Int32) -> SocketAddress? {
    var address = SocketAddress()
    return kernel.peerAddress(fd, &address) == 0 ? address : nil
  }
}
