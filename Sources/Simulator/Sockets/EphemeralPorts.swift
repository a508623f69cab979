/// The ports that are given to those who ask for none: 32,768 up to 60,999 and around, by
/// counting. Source: ip_local_port_range in ip(7).
struct EphemeralPorts {
  static let first: UInt16 = 32_768
  static let last: UInt16 = 60_999
  private var next = first

  /// Takes the next port that `isFree`; nil when none is.
  mutating func take(where isFree: (UInt16) -> Bool) -> UInt16? {
    for _ in Self.first...Self.last {
      let port = next
      next = port == Self.last ? Self.first : port + 1
      if isFree(port) { return port }
    }
    return nil
  }
}
