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

  /// The environment of its processes.
  @safe @exclusivity(unchecked) public var environment: [String: String] = [:]
  /// Processes that were started.
  @safe @exclusivity(unchecked) private var processCount: UInt64 = 0
  /// Takes what the process writes to descriptor 1 or 2.
  @safe @exclusivity(unchecked) public var onOutput: ((Int32, UnsafeRawBufferPointer) -> Void)?

  /// Outlives the processes of the node.
  public private(set) lazy var disk = Disk(node: self)

  let udp = UDPTable()
  let tcp = TCPTable()
  let unix = UnixTable()
  @safe @exclusivity(unchecked) public internal(set) var counters = NodeCounters()
  @safe @exclusivity(unchecked) private var loopback = PacketQueue()
  @safe @exclusivity(unchecked) private var isLooping = false

  /// The earliest event that will wake the node, and until when it is busy with its last turn.
  @safe @exclusivity(unchecked) private var wakeTime = UInt64.max
  @safe @exclusivity(unchecked) private var busyUntil: UInt64 = 0
  @safe @exclusivity(unchecked) private var isRunnable = false
  @safe @exclusivity(unchecked) private var isTurning = false
  @safe @exclusivity(unchecked) public private(set) var isPoweredOn = true
  @safe @exclusivity(unchecked) public private(set) var isPaused = false

  init(_ name: String, index: UInt32, world: World) {
    self.name = name
    self.index = index
    self.world = world
    ipv4 = InternetAddress(ipv4: Self.firstIPv4 &+ index)
    ipv6 = InternetAddress(high: Self.prefixIPv6, low: UInt64(index) + 1)
    clock = NodeClock(poweredOnAt: world.now)
  }

  // MARK: Addresses

  /// 10.0.0.1 and fd00::.
  static let firstIPv4: UInt32 = 0x0A00_0001
  static let prefixIPv6: UInt64 = 0xFD00 << 48

  /// The node's IPv4 address: 10.0.0.1 of the first node, counting up.
  public func address(port: UInt16) -> SocketAddress {
    Endpoint(ipv4, port).socketAddress(isIPv6: false)
  }

  /// The node's IPv6 address: fd00::1 of the first node, counting up.
  public func addressIPv6(port: UInt16) -> SocketAddress {
    Endpoint(ipv6, port).socketAddress(isIPv6: true)
  }

  var network: Network { world.network }

  /// Whether an address is one of this node.
  @inline(__always)
  func owns(_ address: InternetAddress) -> Bool {
    address == ipv4 || address == ipv6 || address.isLoopback
  }

  /// The address that this node sends from towards another.
  func source(towards address: InternetAddress) -> InternetAddress {
    if address.isLoopback { return address.isIPv4 ? .loopbackIPv4 : .loopbackIPv6 }
    return address.isIPv4 ? ipv4 : ipv6
  }

  /// nil: nobody has the address.
  @inline(__always)
  func route(to address: InternetAddress) -> Route? {
    owns(address) ? .loopback : network.owner(of: address).map { .node($0) }
  }

  func hasRoute(to address: InternetAddress) -> Bool { route(to: address) != nil }

  // MARK: The process

  /// Starts a process, and lets it run at once. Ends one that runs, and switches the node on.
  public func start() -> SimulatedKernel {
    kill()
    powerOn()
    let kernel = SimulatedKernel(node: self)
    self.kernel = kernel
    processCount += 1
    note(.started, processCount)
    schedule(at: world.now)
    return kernel
  }

  /// Ends the process as SIGKILL does: the kernel closes its descriptors.
  public func kill() {
    guard let kernel else { return }
    self.kernel = nil
    note(.killed)
    kernel.exit()
  }

  /// Ends a process that has come to its end: as `kill()`, but the log knows that it is none.
  public func end() {
    guard let kernel else { return }
    self.kernel = nil
    note(.ended)
    kernel.exit()
  }

  private func note(_ kind: LogRecord.Kind, _ argument: UInt64 = 0) {
    world.log.add(kind, node: index, argument: argument, at: world.now)
  }

  // MARK: The clock

  /// Steps the wall clock by nanoseconds, forwards or back.
  public func stepClock(by nanoseconds: Int64) {
    clock.step(by: nanoseconds)
    note(.clockStepped, UInt64(bitPattern: nanoseconds))
  }

  /// Lets both clocks run faster, or slower, by parts of 10^9, at most a thousandth.
  public func setClockDrift(_ parts: Int64) {
    clock.setDrift(parts, at: world.now)
    note(.clockDrifted, UInt64(bitPattern: parts))
    // A deadline that was noted comes at another moment now.
    if let kernel { schedule(at: kernel.driftedDeadline) }
  }

  // MARK: Power

  /// Switches the node off: its process, its connections and what was on its way to it vanish
  /// without a word to anybody.
  public func powerOff() {
    guard isPoweredOn else { return }
    isPoweredOn = false
    note(.poweredOff)
    leaveWorld()
    disk.losePower()
    while let packet = unsafe loopback.takeFirst() {
      unsafe network.drop(packet, .powerOff, at: self)
    }
  }

  /// Switches the node on, without a process: monotonic time begins anew, and peers of before
  /// learn from its resets that their connections are gone.
  public func powerOn() {
    guard !isPoweredOn else { return }
    isPoweredOn = true
    clock.powerOn(at: world.now)
    note(.poweredOn)
  }

  /// Lets the process stand still, as SIGSTOP does, while the kernel goes on; until `resume()`.
  public func pause() {
    guard !isPaused else { return }
    isPaused = true
    note(.paused)
  }

  public func resume() {
    guard isPaused else { return }
    isPaused = false
    note(.resumed)
    mark()
  }

  /// Forgets everything that is on the network.
  func leaveWorld() {
    kernel?.vanish()
    kernel = nil
    tcp.removeAll()
    udp.removeAll()
    unix.removeAll()
  }

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
    guard !isRunnable, !isTurning, !isPaused, kernel != nil else { return }
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
    guard kernel != nil, !isPaused else { return }
    isTurning = true
    spent = 0
    world.onTurn?(self)
    isTurning = false
    if let kernel, kernel.nextTurn <= world.now { spend(turnCost) }
    note(.turn, spent)
    busyUntil = world.now &+ spent
    spent = 0
    if let kernel { schedule(at: max(kernel.nextTurn, busyUntil)) }
  }

  // MARK: Packets

  func arrive(_ packet: PacketPointer) {
    guard isPoweredOn else { return unsafe network.drop(packet, .powerOff, at: self) }
    counters.received &+= 1
    unsafe network.see(packet, .received, at: self)
    if unsafe packet.pointee.isCorrupt { return unsafe network.drop(packet, .checksum, at: self) }
    switch unsafe packet.pointee.kind {
    case .udp:
      if let socket = unsafe udp.find(packet) { return unsafe socket.arrive(packet) }
      unsafe refuse(packet)
    case .tcp: unsafe tcp.arrive(packet, at: self)
    case .unreachable:
      unsafe udp.refused(packet)
      unsafe network.packets.give(packet)
    }
  }

  /// Tells the sender of a datagram that nobody listens there: port unreachable.
  private func refuse(_ packet: PacketPointer) {
    if let route = unsafe route(to: packet.pointee.source.address) {
      let answer = unsafe network.packets.make(
        .unreachable, from: packet.pointee.destination, to: packet.pointee.source, count: 0)
      unsafe network.send(answer, from: self, to: route)
    }
    unsafe network.drop(packet, .noSocket, at: self)
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
