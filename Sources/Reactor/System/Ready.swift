/// What the kernel said of a descriptor. Bits stay until an attempt shows that they are over.
public struct Ready: OptionSet, Sendable, Hashable {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Data, or a connection to accept, is there.
  public static let readable = Ready(rawValue: 0x01)
  /// There is room to send.
  public static let writable = Ready(rawValue: 0x02)
  /// The peer ended its writing (EPOLLRDHUP), or the descriptor hung up (EPOLLHUP).
  public static let readClosed = Ready(rawValue: 0x04)
  /// Nothing can be sent any more (EPOLLHUP, or EPOLLERR alone).
  public static let writeClosed = Ready(rawValue: 0x08)
  /// Urgent data is there (EPOLLPRI).
  public static let priority = Ready(rawValue: 0x10)
  /// An error is pending (EPOLLERR).
  public static let error = Ready(rawValue: 0x20)

  public static let all = Ready(rawValue: 0x3F)

  /// The bits that let an attempt to read go on.
  public static let readSide: Ready = [.readable, .readClosed, .error]
  /// The bits that let an attempt to write go on.
  public static let writeSide: Ready = [.writable, .writeClosed, .error]
}
