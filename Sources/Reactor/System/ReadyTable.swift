/// `Ready(epollEvents:)` as a table of the six bits that matter: one load an event.
@safe
struct ReadyTable: ~Copyable {
  private static let count = 64
  private let entries: UnsafeMutablePointer<Ready>

  init() {
    unsafe entries = .allocate(capacity: Self.count)
    for slot in 0..<UInt32(Self.count) {
      // The inverse of the subscript: bits 0...4 are in place, bit 5 stands for EPOLLRDHUP.
      let events = slot & 0x1F | (slot & 0x20) << 8
      unsafe entries[Int(slot)] = Ready(epollEvents: events)
    }
  }

  deinit { unsafe entries.deallocate() }

  @inline(__always)
  subscript(events: UInt32) -> Ready {
    unsafe entries[Int(events & 0x1F | events >> 8 & 0x20)]
  }
}
