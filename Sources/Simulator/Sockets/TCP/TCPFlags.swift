/// The control bits of a segment. Source: RFC 9293, section 3.1.
struct TCPFlags: OptionSet {
  let rawValue: UInt8

  static let fin = TCPFlags(rawValue: 0x01)
  static let syn = TCPFlags(rawValue: 0x02)
  static let reset = TCPFlags(rawValue: 0x04)
  static let push = TCPFlags(rawValue: 0x08)
  static let acknowledge = TCPFlags(rawValue: 0x10)
}
