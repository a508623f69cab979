/// The memory of packets and of their payloads: taken from chunks, and given back to free lists.
@safe
struct PacketPool {
  private static let chunkSize = 256
  /// Payloads have rooms of 64 << n bytes.
  private static let smallest = 6
  private static let classCount = 11

  private var chunks: [PacketPointer] = unsafe []
  private var free: PacketPointer?
  private var rooms: [UnsafeMutableRawPointer?] = unsafe Array(repeating: nil, count: classCount)
  private var slabs: [UnsafeMutableRawPointer] = unsafe []
  /// Packets that are on their way or in a queue.
  private(set) var live = 0

  func deallocate() {
    for index in unsafe chunks.indices { unsafe chunks[index].deallocate() }
    for index in unsafe slabs.indices { unsafe slabs[index].deallocate() }
  }

  /// Makes a packet with room for `count` bytes, at most 65,536, which are not set.
  mutating func make(
    _ kind: Packet.Kind, from source: Endpoint, to destination: Endpoint, count: Int
  ) -> PacketPointer {
    let packet = unsafe takePacket()
    unsafe packet.initialize(
      to: Packet(
        next: nil, payload: count > 0 ? takeRoom(Self.roomClass(count)) : nil, source: source,
        destination: destination, id: 0, count: UInt32(truncatingIfNeeded: count), taken: 0,
        node: 0, link: 0, sequence: 0, acknowledgement: 0, window: 0, segmentLimit: 0, scale: 0,
        flags: [], kind: kind,
        digest: 0,
        isRetransmission: false, isCounted: false, isCorrupt: false))
    live &+= 1
    return unsafe packet
  }

  /// Makes a second packet with the same contents.
  mutating func copy(_ original: PacketPointer) -> PacketPointer {
    let packet = unsafe takePacket()
    unsafe packet.initialize(to: original.pointee)
    unsafe packet.pointee.next = nil
    if let payload = unsafe original.pointee.payload {
      let count = unsafe Int(original.pointee.count)
      let room = unsafe takeRoom(Self.roomClass(count))
      unsafe room.copyMemory(from: payload, byteCount: count)
      unsafe packet.pointee.payload = unsafe room
    }
    live &+= 1
    return unsafe packet
  }

  mutating func give(_ packet: PacketPointer) {
    if let payload = unsafe packet.pointee.payload {
      unsafe giveRoom(payload, Self.roomClass(Int(packet.pointee.count)))
    }
    unsafe packet.pointee.next = unsafe free
    unsafe free = unsafe packet
    live &-= 1
  }

  private mutating func takePacket() -> PacketPointer {
    if unsafe free == nil {
      let chunk = PacketPointer.allocate(capacity: Self.chunkSize)
      unsafe chunks.append(chunk)
      for index in 0..<Self.chunkSize {
        unsafe (chunk + index).initialize(to: .empty)
        unsafe chunk[index].next = unsafe free
        unsafe free = unsafe chunk + index
      }
    }
    guard let packet = unsafe free else { return .allocate(capacity: 1) }
    unsafe free = unsafe packet.pointee.next
    return unsafe packet
  }

  private static func roomClass(_ count: Int) -> Int {
    max(Int.bitWidth - (count - 1).leadingZeroBitCount - smallest, 0)
  }

  /// The first word of a free room names the next one.
  private mutating func takeRoom(_ size: Int) -> UnsafeMutableRawPointer {
    if let room = unsafe rooms[size] {
      unsafe rooms[size] = unsafe room.load(as: UnsafeMutableRawPointer?.self)
      return unsafe room
    }
    let bytes = 1 << (size + Self.smallest)
    let count = max(16_384 / bytes, 1)
    let slab = UnsafeMutableRawPointer.allocate(byteCount: bytes * count, alignment: 16)
    unsafe slabs.append(slab)
    for index in 1..<max(count, 1) { unsafe giveRoom(slab + index * bytes, size) }
    return unsafe slab
  }

  private mutating func giveRoom(_ room: UnsafeMutableRawPointer, _ size: Int) {
    unsafe room.storeBytes(of: rooms[size], as: UnsafeMutableRawPointer?.self)
    unsafe rooms[size] = unsafe room
  }
}

extension Packet {
  fileprivate static var empty: Packet {
    unsafe Packet(
      next: nil, payload: nil, source: .none, destination: .none, id: 0, count: 0, taken: 0,
      node: 0, link: 0, sequence: 0, acknowledgement: 0, window: 0, segmentLimit: 0, scale: 0,
      flags: [], kind: .udp,
      digest: 0,
      isRetransmission: false, isCounted: false, isCorrupt: false)
  }
}
