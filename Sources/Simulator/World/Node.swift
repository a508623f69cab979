import Reactor

/// A computer of the world: addresses, a clock, and at most one process at a time.
@safe
public final class Node {
  public let name: String
  /// Its number, counting from 0 in the order of `addNode`.
  public let index: UInt32
  @safe unowned(unsafe) let world: World
  let ipv4: InternetAddress
  let ipv6: InternetAddress
  /// The kernel of the process that runs; nil when none does.
  @safe @exclusivity(unchecked) public private(set) var kernel: SimulatedKernel?
  @safe @exclusivity(unchecked) public private(set) var clock: NodeClock
  /// Nanoseconds of processor time that a turn costs after which the process wants another one at
  /// once, so that time passes for a program that never waits.
  @safe @exclusivity(unchecked) public var turnCost: UInt64 = 1_000
  /// Nanoseconds that the turn under way has taken.
  @safe @exclusivity(unchecked) public private(set) var spent: UInt64 = 0
  /// Nanoseconds that the processes of the node have spent altogether.
  @safe @exclusivity(unchecked) private(set) var processorTime: UInt64 = 0

  /// Takes what the process writes to descriptor 1 or 2.
  @safe @exclusivity(unchecked) public var onOutput: ((Int32, UnsafeRawBufferPointer) -> Void)?

  @safe @exclusivity(unchecked) var udp = UDPTable()
  @safe @exclusivity(unchecked) private var loopback = PacketQueue()
  @safe @exclusivity(unchecked) private var isLooping = false

  /// The earliest event that will wake the node, and until when it is busy with its last turn.
  @safe @exclusivity(unchecked) private var wakeTime = UInt64.max
  @safe @exclusivity(unchecked) private var busyUntil: UInt64 = 0
  @safe @exclusivity(unchecked) private var isRunnable = false
  @safe @exclusivity(unchecked) private var isTurning = false

  init(_ name: String, index: UInt32, world: World) {
    self.name = name
    self.index = index
    self.world = world
    ipv4 = InternetAddress(ipv4: 0x0A00_0001 &+ index)
    ipv6 = InternetAddress(high: 0xFD00 << 48, low: UInt64(index) + 1)
    clock = NodeClock(poweredOnAt: world.now)
  }

  func owns(_ address: InternetAddress) -> Bool { address == ipv4 || address == ipv6 }

  /// The address that this node sends from towards another.
  func source(towards address: InternetAddress) -> InternetAddress {
    if address.isLoopback { return address.isIPv4 ? .loopbackIPv4 : .loopbackIPv6 }
    return address.isIPv4 ? ipv4 : ipv6
  }

  // MARK: The process

  /// Starts a process, and lets it run at once. Ends one that runs.
  public func start() -> SimulatedKernel {
    kill()
    let kernel = SimulatedKernel(node: self)
    self.kernel = kernel
    schedule(at: world.now)
    return kernel
  }

  /// Ends the process as SIGKILL does: the kernel closes its descriptors.
  public func kill() {
    guard let kernel else { return }
    self.kernel = nil
    kernel.exit()
  }

  func leaveWorld() { kernel?.exit() }

  // MARK: Turns

  /// Counts nanoseconds of processor time to the turn under way: what the process does from now
  /// on happens so much later.
  public func spend(_ nanoseconds: UInt64) {
    spent &+= nanoseconds
    processorTime &+= nanoseconds
  }

  /// The moment of the world that the process sees.
  var present: UInt64 { world.now &+ spent }

  /// Something is there for the process.
  func mark() {
    guard !isRunnable, !isTurning, kernel != nil else { return }
    if world.now < busyUntil { return schedule(at: busyUntil) }
    isRunnable = true
    world.makeRunnable(self)
  }

  /// Makes sure that the node wakes at a time, or before.
  func schedule(at time: UInt64) {
    guard time < wakeTime else { return }
    wakeTime = time
    world.push(at: time, .wake, UInt(index))
  }

  func wake(at time: UInt64) {
    guard time == wakeTime else { return }
    wakeTime = .max
    guard let kernel else { return }
    let due = max(kernel.nextTurn, busyUntil)
    if due <= time { mark() } else { schedule(at: due) }
  }

  func turn() {
    isRunnable = false
    guard kernel != nil else { return }
    isTurning = true
    spent = 0
    world.onTurn?(self)
    isTurning = false
    if let kernel, kernel.nextTurn <= world.now { spend(turnCost) }
    busyUntil = world.now &+ spent
    spent = 0
    if let kernel { schedule(at: max(kernel.nextTurn, busyUntil)) }
  }

  // MARK: Packets

  func arrive(_ packet: PacketPointer) {
    switch unsafe packet.pointee.kind {
    case .udp: unsafe udp.arrive(packet, at: self)
    default: unsafe world.network.packets.give(packet)
    }
  }

  /// Delivers a packet to this same node before the call that sent it returns, as Linux does.
  func loop(_ packet: PacketPointer) {
    unsafe packet.pointee.node = index
    unsafe loopback.append(packet)
    guard !isLooping else { return }
    isLooping = true
    while let next = unsafe loopback.takeFirst() { unsafe arrive(next) }
    isLooping = false
  }
}
