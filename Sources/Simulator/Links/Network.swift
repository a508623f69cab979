/// All that lies between the nodes: links with their rules, and the packets on them.
@safe
final class Network {
  private let seed: UInt64
  @safe @exclusivity(unchecked) var nodeCount: UInt64 = 0
  @safe @exclusivity(unchecked) var packets = PacketPool()
  @safe @exclusivity(unchecked) private var rules: [LinkRule]
  /// What holds from where to where: the last one that fits.
  @safe @exclusivity(unchecked) private var bases: [(from: NodeSet, to: NodeSet, rule: Int32)]
  @safe @exclusivity(unchecked) private var conditions: [Condition] = []
  /// Counts the changes of the two.
  @safe @exclusivity(unchecked) private var version: UInt32 = 0
  @safe @exclusivity(unchecked) private var links: [Link] = []
  @safe @exclusivity(unchecked) private var linkIndex = IntegerTable()
  /// Links with packets that wait, in the order in which they began to.
  @safe @exclusivity(unchecked) private var held: [(link: UInt32, queue: PacketQueue)] = []
  @safe @exclusivity(unchecked) private var lastID: UInt64 = 0
  @safe @exclusivity(unchecked) private var lastCondition = 0
  @safe @exclusivity(unchecked) private var cutCount = 0

  /// Between nodes without a rule: the network of one room.
  static let defaultDelay: UInt64 = 100_000

  init(seed: UInt64) {
    self.seed = seed
    var rule = LinkRule()
    rule.delay = Self.defaultDelay
    rules = [rule]
    bases = [(.all, .all, 0)]
  }

  deinit {
    packets.deallocate()
    linkIndex.deallocate()
  }

  // MARK: Rules

  func setRule(from: NodeSet, to: NodeSet, _ rule: LinkRule, in world: World) {
    bases.append((from, to, add(rule)))
    change(in: world)
  }

  func impose(
    _ rule: LinkRule, on paths: [(from: NodeSet, to: NodeSet)], cuts: Bool, stream: UInt64?,
    in world: World
  ) -> ConditionID {
    lastCondition += 1
    let id = ConditionID(number: lastCondition)
    conditions.append(
      Condition(
        id: id, paths: paths, rule: add(rule), cuts: cuts, stream: stream ?? UInt64(id.number)))
    if cuts { cutCount += 1 }
    change(in: world)
    return id
  }

  /// - Returns: false when there is no such condition.
  func lift(_ id: ConditionID, in world: World) -> Bool {
    guard let index = conditions.firstIndex(where: { $0.id == id }) else { return false }
    if conditions.remove(at: index).cuts { cutCount -= 1 }
    change(in: world)
    return true
  }

  private func add(_ rule: LinkRule) -> Int32 {
    rules.append(rule)
    return Int32(rules.count - 1)
  }

  /// Links learn of the change with their next packet; those that hold packets, at once.
  private func change(in world: World) {
    version += 1
    let waiting = held
    held = []
    for (link, queue) in waiting {
      refresh(Int(link))
      var queue = queue
      while let packet = unsafe queue.takeFirst() {
        unsafe travel(packet, on: Int(link), in: world)
      }
    }
  }

  /// The index of a direction.
  @inline(__always)
  private func link(from: UInt32, to: UInt32) -> Int {
    let key = UInt64(from) << 32 | UInt64(to)
    if let index = linkIndex[key] {
      if links[Int(index)].version != version { refresh(Int(index)) }
      return Int(index)
    }
    let stage = LinkStage(rule: 0, stream: stream(from, to, 0))
    links.append(Link(from: from, to: to, version: version, base: stage))
    linkIndex.set(key, UInt32(links.count - 1))
    refresh(links.count - 1)
    return links.count - 1
  }

  private func stream(_ from: UInt32, _ to: UInt32, _ condition: UInt64) -> RandomStream {
    RandomStream(
      seed: seed, .link, from: UInt64(from) << 32 | UInt64(to), to: condition)
  }

  /// Takes over the rules as they are now; what goes on keeps what it remembers.
  private func refresh(_ index: Int) {
    let (from, to) = (links[index].from, links[index].to)
    let rule = bases.last { $0.from.contains(from) && $0.to.contains(to) }?.rule ?? 0
    if links[index].base.rule != rule {
      links[index].base = LinkStage(rule: rule, stream: stream(from, to, 0))
    }
    var limits = [rules[Int(rule)].limit]
    var (holds, cuts) = (rules[Int(rule)].holds, false)
    let before = links[index].conditions
    links[index].conditions = []
    for condition in conditions where condition.covers(from, to) {
      let known = before.first { $0.id == condition.id }?.stage
      let fresh = LinkStage(rule: condition.rule, stream: stream(from, to, condition.stream))
      links[index].conditions.append((condition.id, known ?? fresh))
      limits.append(rules[Int(condition.rule)].limit)
      if rules[Int(condition.rule)].holds { holds = true }
      if condition.cuts { cuts = true }
    }
    links[index].limit = limits.filter { $0 > 0 }.min() ?? 0
    (links[index].holds, links[index].cuts) = (holds, cuts)
    links[index].version = version
  }

  // MARK: Packets

  /// The node that has an address.
  @inline(__always)
  func owner(of address: InternetAddress) -> UInt32? {
    let index =
      address.isIPv4
      ? UInt64(address.ipv4 &- Node.firstIPv4)
      : address.high == Node.prefixIPv6 ? address.low &- 1 : .max
    return index < nodeCount ? UInt32(truncatingIfNeeded: index) : nil
  }

  /// Sends a packet off; it is the network's from now on.
  func send(_ packet: PacketPointer, from node: Node, to route: Route) {
    lastID &+= 1
    unsafe packet.pointee.id = lastID
    node.counters.sent &+= 1
    let target =
      switch route {
      case .loopback: node.index
      case .node(let index): index
      }
    unsafe packet.pointee.node = target
    unsafe packet.pointee.digest = packet.digest
    unsafe see(packet, .sent, at: node)
    switch route {
    case .loopback: unsafe node.loop(packet)
    case .node:
      unsafe travel(packet, on: link(from: node.index, to: target), in: node.world)
    }
  }

  private func travel(_ packet: PacketPointer, on index: Int, in world: World) {
    unsafe packet.pointee.link = UInt32(index)
    let sender = world.nodes[Int(links[index].from)]
    if links[index].holds { return unsafe hold(packet) }
    let number = links[index].packets
    links[index].packets &+= 1
    let time = sender.present
    var fate = Fate()
    let size = unsafe packet.size
    links[index].base.pass(
      rules[Int(links[index].base.rule)], packet: number, size: size, at: time, &fate)
    for condition in links[index].conditions.indices {
      let rule = rules[Int(links[index].conditions[condition].stage.rule)]
      links[index].conditions[condition].stage.pass(
        rule, packet: number, size: size, at: time &+ fate.delay, &fate)
    }
    if fate.isLost { return unsafe drop(packet, .loss, at: sender) }
    let limit = links[index].limit
    if limit > 0 {
      if links[index].queued >= limit { return unsafe drop(packet, .queue, at: sender) }
      links[index].queued &+= 1
      unsafe packet.pointee.isCounted = true
    }
    if fate.isCorrupt { unsafe packet.pointee.isCorrupt = true }
    if fate.mangled != 0 {
      unsafe packet.mangle(fate.mangled)
      unsafe packet.pointee.digest = packet.digest
    }
    if fate.copies > 0 { unsafe copy(packet, fate, number, at: time, in: world) }
    world.push(at: time &+ fate.delay, .arrival, UInt(bitPattern: packet))
  }

  /// Sends copies after a packet, each with a delay of its own.
  private func copy(
    _ packet: PacketPointer, _ fate: Fate, _ number: UInt64, at time: UInt64, in world: World
  ) {
    let index = unsafe Int(packet.pointee.link)
    for copy in 1...UInt64(fate.copies) {
      let twin = unsafe packets.copy(packet)
      unsafe twin.pointee.isCounted = false
      let rule = rules[Int(links[index].base.rule)]
      let delay = links[index].base.delay(rule, copy << 56 | number)
      world.push(at: time &+ delay, .arrival, UInt(bitPattern: twin))
    }
  }

  private func hold(_ packet: PacketPointer) {
    let link = unsafe packet.pointee.link
    let index = held.firstIndex { $0.link == link } ?? held.count
    if index == held.count { held.append((link, PacketQueue())) }
    unsafe held[index].queue.append(packet)
  }

  /// A packet has come to the end of its link. False: it was cut off on the way.
  @inline(__always)
  func arrived(_ packet: PacketPointer, in world: World) -> Bool {
    let index = unsafe Int(packet.pointee.link)
    if unsafe packet.pointee.isCounted { links[index].queued &-= 1 }
    guard cutCount > 0 else { return true }
    if links[index].version != version { refresh(index) }
    guard links[index].cuts else { return true }
    unsafe drop(packet, .partition, at: world.nodes[Int(links[index].to)])
    return false
  }

  /// Tells the log and a capture of a packet.
  @inline(__always)
  func see(_ packet: PacketPointer, _ kind: PacketEvent.Kind, at node: Node) {
    var (record, detail) = unsafe (LogRecord.Kind.packetSent, packet.pointee.kind.rawValue)
    switch kind {
    case .sent: break
    case .received: record = .packetReceived
    case .dropped(let reason): (record, detail) = (.packetDropped, reason.rawValue)
    }
    let (from, to) = unsafe (packet.pointee.source, packet.pointee.destination)
    let peer = unsafe kind == .sent ? packet.pointee.node : owner(of: from.address) ?? node.index
    let time = node.present
    unsafe node.world.log.add(
      record, detail: detail, node: node.index, peer: peer, argument: packet.pointee.id,
      hash: packet.pointee.digest, length: packet.pointee.count,
      ports: UInt32(from.port) << 16 | UInt32(to.port), at: time)
    guard let onPacket = node.world.onPacket else { return }
    unsafe onPacket(PacketEvent(kind: kind, time: time, node: node, packet: packet))
  }

  /// Ends the way of a packet.
  func drop(_ packet: PacketPointer, _ reason: DropReason, at node: Node) {
    unsafe note(packet, reason, at: node)
    unsafe packets.give(packet)
  }

  /// Tells that a packet goes no further, which stays the caller's.
  func note(_ packet: PacketPointer, _ reason: DropReason, at node: Node) {
    unsafe see(packet, .dropped(reason), at: node)
  }
}

extension PacketPointer {
  /// Bytes with the headers of IP and of what it carries.
  var size: UInt64 {
    var size = unsafe UInt64(pointee.count) + (pointee.source.address.isIPv4 ? 20 : 40)
    switch unsafe pointee.kind {
    case .udp: size += 8
    case .tcp: size += unsafe pointee.flags.contains(.syn) ? 28 : 20
    case .unreachable: size += 36
    }
    return size
  }

  /// A hash of the data and of what TCP says.
  var digest: UInt64 {
    let payload = unsafe UnsafeRawBufferPointer(start: pointee.payload, count: Int(pointee.count))
    let data = unsafe pointee.count == 0 ? 0 : Digest.of(payload)
    guard unsafe pointee.kind == .tcp else { return data }
    let numbers = unsafe UInt64(pointee.sequence) << 32 | UInt64(pointee.acknowledgement)
    let rest = unsafe UInt64(pointee.window) << 8 | UInt64(pointee.flags.rawValue)
    return RandomStream.mix(numbers ^ RandomStream.mix(rest)) ^ data
  }

  /// Flips one bit of the payload.
  func mangle(_ bits: UInt32) {
    guard let payload = unsafe pointee.payload else { return }
    let bit = unsafe bits % (pointee.count &* 8)
    let byte = unsafe payload.load(fromByteOffset: Int(bit / 8), as: UInt8.self)
    unsafe payload.storeBytes(
      of: byte ^ 1 << UInt8(bit % 8), toByteOffset: Int(bit / 8), as: UInt8.self)
  }
}
