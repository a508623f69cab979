/// The events of a descriptor, as epoll numbers them. Source: epoll_ctl(2).
struct PollEvents: OptionSet {
  let rawValue: UInt32

  static let readable = PollEvents(rawValue: 0x0001)
  static let priority = PollEvents(rawValue: 0x0002)
  static let writable = PollEvents(rawValue: 0x0004)
  static let error = PollEvents(rawValue: 0x0008)
  static let hangUp = PollEvents(rawValue: 0x0010)
  static let peerClosed = PollEvents(rawValue: 0x2000)
  static let all = PollEvents(rawValue: 0x201F)
}
