/// Packets as bytes. Source: RFC 791 and 8200 (IP), 768 (UDP), 9293 (TCP), 792 and 4443 (ICMP).
enum WireFormat {
  static func bytes(of packet: PacketPointer) -> [UInt8] {
    let body = unsafe body(of: packet)
    let isIPv4 = unsafe packet.pointee.source.address.isIPv4
    var bytes = unsafe isIPv4 ? ipv4(packet, body.count) : ipv6(packet, body.count)
    let start = bytes.count
    bytes += body
    if let place = unsafe checksumPlace(packet) {
      var sum = Checksum()
      unsafe sum.add(pseudoHeader(packet, body.count))
      sum.add(body[...])
      var value = sum.value
      // A checksum of 0 says that there is none.
      if unsafe packet.pointee.kind == .udp, value == 0 { value = 0xFFFF }
      bytes.store(value, at: start + place)
    }
    // A broken packet: one bit differs from what its checksum says.
    if unsafe packet.pointee.isCorrupt { bytes[bytes.count - 1] ^= 1 }
    return bytes
  }

  // MARK: IP

  private static func ipv4(_ packet: PacketPointer, _ length: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x45, 0]
    bytes.append(UInt16(truncatingIfNeeded: 20 + length))
    unsafe bytes.append(UInt16(truncatingIfNeeded: packet.pointee.id))
    unsafe bytes += [0x40, 0, 64, packet.pointee.kind.rawValue, 0, 0]
    unsafe bytes.append(packet.pointee.source.address.ipv4)
    unsafe bytes.append(packet.pointee.destination.address.ipv4)
    var sum = Checksum()
    sum.add(bytes[...])
    bytes.store(sum.value, at: 10)
    return bytes
  }

  private static func ipv6(_ packet: PacketPointer, _ length: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x60, 0, 0, 0]
    bytes.append(UInt16(truncatingIfNeeded: length))
    unsafe bytes += [packet.pointee.kind == .unreachable ? 58 : packet.pointee.kind.rawValue, 64]
    unsafe bytes.append(packet.pointee.source.address)
    unsafe bytes.append(packet.pointee.destination.address)
    return bytes
  }

  /// What a checksum covers beside the body.
  private static func pseudoHeader(_ packet: PacketPointer, _ length: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    if unsafe packet.pointee.source.address.isIPv4 {
      if unsafe packet.pointee.kind == .unreachable { return [] }
      unsafe bytes.append(packet.pointee.source.address.ipv4)
      unsafe bytes.append(packet.pointee.destination.address.ipv4)
      unsafe bytes += [0, packet.pointee.kind.rawValue]
      bytes.append(UInt16(truncatingIfNeeded: length))
    } else {
      unsafe bytes.append(packet.pointee.source.address)
      unsafe bytes.append(packet.pointee.destination.address)
      bytes.append(UInt32(length))
      unsafe bytes += [
        0, 0, 0, packet.pointee.kind == .unreachable ? 58 : packet.pointee.kind.rawValue,
      ]
    }
    return bytes
  }

  /// Where the checksum stands in the body.
  private static func checksumPlace(_ packet: PacketPointer) -> Int? {
    switch unsafe packet.pointee.kind {
    case .udp: 6
    case .tcp: 16
    case .unreachable: 2
    }
  }

  // MARK: What IP carries

  private static func body(of packet: PacketPointer) -> [UInt8] {
    switch unsafe packet.pointee.kind {
    case .udp: unsafe udp(packet)
    case .tcp: unsafe tcp(packet)
    case .unreachable: unsafe unreachable(packet)
    }
  }

  private static func payload(_ packet: PacketPointer) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: packet.pointee.payload, count: Int(packet.pointee.count))
  }

  private static func udp(_ packet: PacketPointer) -> [UInt8] {
    var bytes: [UInt8] = []
    unsafe bytes.append(packet.pointee.source.port)
    unsafe bytes.append(packet.pointee.destination.port)
    unsafe bytes.append(UInt16(truncatingIfNeeded: 8 + packet.pointee.count))
    bytes += [0, 0]
    unsafe bytes += payload(packet)
    return bytes
  }

  private static func tcp(_ packet: PacketPointer) -> [UInt8] {
    let isSYN = unsafe packet.pointee.flags.contains(.syn)
    var bytes: [UInt8] = []
    unsafe bytes.append(packet.pointee.source.port)
    unsafe bytes.append(packet.pointee.destination.port)
    unsafe bytes.append(packet.pointee.sequence)
    unsafe bytes.append(packet.pointee.acknowledgement)
    unsafe bytes += [isSYN ? 0x70 : 0x50, packet.pointee.flags.rawValue]
    unsafe bytes.append(packet.pointee.window)
    bytes += [0, 0, 0, 0]
    if isSYN {
      bytes += [2, 4]
      unsafe bytes.append(packet.pointee.segmentLimit)
      unsafe bytes += [1, 3, 3, packet.pointee.scale]
    }
    unsafe bytes += payload(packet)
    return bytes
  }

  /// Port unreachable, with the beginning of the packet that it answers.
  private static func unreachable(_ packet: PacketPointer) -> [UInt8] {
    let isIPv4 = unsafe packet.pointee.source.address.isIPv4
    var bytes: [UInt8] = isIPv4 ? [3, 3, 0, 0, 0, 0, 0, 0] : [1, 4, 0, 0, 0, 0, 0, 0]
    var original = unsafe packet.pointee
    (original.source, original.destination) = (original.destination, original.source)
    original.kind = .udp
    unsafe withUnsafeMutablePointer(to: &original) { original in
      let length = unsafe 8 + Int(original.pointee.count)
      unsafe bytes += isIPv4 ? ipv4(original, length) : ipv6(original, length)
      unsafe bytes += udp(original)
    }
    return bytes
  }
}

/// The checksum of the internet. Source: RFC 1071.
private struct Checksum {
  private var sum: UInt64 = 0

  mutating func add(_ bytes: some BidirectionalCollection<UInt8>) {
    var isHigh = true
    for byte in bytes {
      sum += isHigh ? UInt64(byte) << 8 : UInt64(byte)
      isHigh.toggle()
    }
  }

  var value: UInt16 {
    var rest = sum
    while rest > 0xFFFF { rest = (rest & 0xFFFF) + rest >> 16 }
    return ~UInt16(rest)
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: UInt16) {
    self += [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
  }

  fileprivate mutating func append(_ number: UInt32) {
    append(UInt16(number >> 16))
    append(UInt16(truncatingIfNeeded: number))
  }

  fileprivate mutating func append(_ address: InternetAddress) {
    for word in [address.high, address.low] {
      append(UInt32(word >> 32))
      append(UInt32(truncatingIfNeeded: word))
    }
  }

  fileprivate mutating func store(_ number: UInt16, at place: Int) {
    self[place] = UInt8(number >> 8)
    self[place + 1] = UInt8(truncatingIfNeeded: number)
  }
}
