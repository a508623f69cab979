import Reactor

/// A world of nodes that exchange packets, with a time of its own.
///
/// Whatever happens is an event with a time, and equal times have an order: one seed gives one
/// run. The world calls nobody but its owner's `onTurn`, which runs the program of one node until
/// that has nothing left to do.
///
/// ```swift
/// let world = World(seed: 7)
/// let node = world.addNode("n1")
/// let host = try LuaHost(kernel: node.start())
/// world.onTurn = { _ in try? host.turn() }
/// world.run(until: 60_000_000_000)
/// ```
@safe
public final class World {
  public let seed: UInt64
  /// Nanoseconds since the world began.
  @safe @exclusivity(unchecked) public private(set) var now: UInt64 = 0
  @safe @exclusivity(unchecked) public private(set) var nodes: [Node] = []
  /// Runs the program of a node once: polls its kernel, and does what became possible.
  @safe @exclusivity(unchecked) public var onTurn: ((Node) -> Void)?

  /// What names mean on every node.
  @safe @exclusivity(unchecked) public var nameTable = NameTable()
  let network: Network
  /// All that has happened.
  public let log = EventLog()
  /// Sees every packet that is sent, received or dropped, for a capture.
  @safe @exclusivity(unchecked) public var onPacket: ((PacketEvent) -> Void)?
  @safe @exclusivity(unchecked) private var heap = EventHeap()
  /// Nodes that run at this instant, in the order in which they became runnable.
  @safe @exclusivity(unchecked) private var runnable: [Node] = []
  @safe @exclusivity(unchecked) private var names: [String: UInt32] = [:]
  @safe @exclusivity(unchecked) var timers = TimerTable()
  @safe @exclusivity(unchecked) private var actions = ActionTable()
  /// Events that have happened.
  @safe @exclusivity(unchecked) public private(set) var eventCount: UInt64 = 0

  public init(seed: UInt64) {
    self.seed = seed
    network = Network(seed: seed)
  }

  deinit {
    for node in nodes { node.leaveWorld() }
    heap.deallocate()
  }

  // MARK: Nodes

  /// Adds a node, powered and without a program. Its addresses are 10.0.0.1 and fd00::1 for the
  /// first one, counting up.
  ///
  /// - Returns: nil when the name is taken, or there are 2^24 - 2 nodes already.
  public func addNode(_ name: String) -> Node? {
    guard names[name] == nil, nodes.count < 0xFF_FFFE else { return nil }
    let node = Node(name, index: UInt32(nodes.count), world: self)
    names[name] = node.index
    nodes.append(node)
    network.nodeCount += 1
    return node
  }

  public func node(named name: String) -> Node? { names[name].map { nodes[Int($0)] } }

  // MARK: Links

  /// Sets what the links from some nodes to some do, in this direction. Of several rules the last
  /// one that fits holds; without one, packets take 100 µs.
  public func setLink(from: NodeSet, to: NodeSet, _ rule: LinkRule) {
    network.setRule(from: from, to: to, rule, in: self)
    log.add(.ruleSet, node: LogRecord.noNode, at: now)
  }

  /// Lays a rule over the links of some paths, beside the one that they have: delays add up, and
  /// a packet must get through both.
  ///
  /// - Parameters:
  ///   - cuts: whether packets that are on their way are lost as well.
  ///   - stream: names the random numbers of the rule, so that they stay the same when other
  ///     conditions are left out; nil: the number of the condition.
  public func impose(
    _ rule: LinkRule, on paths: [(from: NodeSet, to: NodeSet)], cuts: Bool = false,
    stream: UInt64? = nil
  ) -> ConditionID {
    let id = network.impose(rule, on: paths, cuts: cuts, stream: stream, in: self)
    log.add(.imposed, node: LogRecord.noNode, argument: UInt64(id.number), at: now)
    return id
  }

  /// Takes a condition away; packets that it has held go on now.
  /// - Returns: false when it was taken away before.
  @discardableResult
  public func lift(_ id: ConditionID) -> Bool {
    guard network.lift(id, in: self) else { return false }
    log.add(.lifted, node: LogRecord.noNode, argument: UInt64(id.number), at: now)
    return true
  }

  // MARK: Time

  /// Calls `action` at a time of the world, before the nodes that run at that time; one that has
  /// passed counts as now.
  public func at(_ time: UInt64, _ action: @escaping () -> Void) {
    push(at: time, .action, UInt(actions.add(action)))
  }

  /// When the next event happens; nil: nothing will ever happen again.
  public var nextTime: UInt64? { heap.count == 0 ? nil : heap.nextTime }

  /// Moves on to the next instant at which something happens, lets it happen, and runs the nodes
  /// that it concerns.
  ///
  /// - Returns: false when nothing happens until `limit`.
  @discardableResult
  public func step(until limit: UInt64 = .max) -> Bool {
    let time = heap.nextTime
    guard time <= limit, heap.count > 0 else { return false }
    now = time
    while let event = heap.pop(at: time) { happen(event) }
    var index = 0
    while index < runnable.count {
      runnable[index].turn()
      index += 1
    }
    runnable.removeAll(keepingCapacity: true)
    return true
  }

  /// Lets everything happen until `limit`, which is the time then.
  public func run(until limit: UInt64) {
    while step(until: limit) {}
    now = max(now, limit)
  }

  @inline(__always)
  private func happen(_ event: Event) {
    eventCount &+= 1
    switch event.kind {
    case .arrival:
      guard let packet = unsafe PacketPointer(bitPattern: event.word) else { return }
      guard unsafe network.arrived(packet, in: self) else { return }
      unsafe nodes[Int(packet.pointee.node)].arrive(packet)
    case .wake: nodes[Int(event.word)].wake(at: event.time)
    case .timer: timers[event.word]?.timerEvent(at: event.time)
    case .action: actions.take(event.word)?()
    case nil: break
    }
  }

  /// Adds a note of the owner to the log: a fault, a claim, what a program said. `detail` and
  /// `argument` are the owner's own; of `bytes` the log has a hash.
  public func note(
    _ detail: UInt8, at node: Node? = nil, argument: UInt64 = 0,
    bytes: UnsafeRawBufferPointer? = nil
  ) {
    let hash = unsafe bytes.map { unsafe Digest.of($0) } ?? 0
    log.add(
      .note, detail: detail, node: node?.index ?? LogRecord.noNode, argument: argument, hash: hash,
      length: unsafe UInt32(clamping: bytes?.count ?? 0), at: now)
  }

  // MARK: For nodes and links

  func push(at time: UInt64, _ kind: Event.Kind, _ word: UInt) {
    heap.push(Event(time: max(time, now), kind: kind, word: word))
  }

  func makeRunnable(_ node: Node) { runnable.append(node) }
}
