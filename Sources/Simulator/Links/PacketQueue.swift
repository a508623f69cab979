/// Packets in the order in which they came: a chain through their `next`.
@safe
struct PacketQueue {
  private(set) var first: PacketPointer?
  private var last: PacketPointer?
  private(set) var count = 0

  var isEmpty: Bool { unsafe first == nil }

  mutating func append(_ packet: PacketPointer) {
    unsafe packet.pointee.next = nil
    if let last = unsafe last {
      unsafe last.pointee.next = unsafe packet
    } else {
      unsafe first = unsafe packet
    }
    unsafe last = unsafe packet
    count &+= 1
  }

  mutating func takeFirst() -> PacketPointer? {
    guard let packet = unsafe first else { return nil }
    unsafe first = unsafe packet.pointee.next
    if unsafe first == nil { unsafe last = nil }
    unsafe packet.pointee.next = nil
    count &-= 1
    return unsafe packet
  }
}
