/// What the kernel said of a descriptor. Bits stay until an attempt shows that they are over.
public struct Ready: OptionSet, Sendable, Hashable {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Data, or a connection to accept, is there.
  @inlinable public static var readable: Ready { Ready(rawValue: 0x01) }
  /// There is room to send.
  @inlinable public static var writable: Ready { Ready(rawValue: 0x02) }
  /// The peer ended its writing (EPOLLRDHUP), or the descriptor hung up (EPOLLHUP).
  @inlinable public static var readClosed: Ready { Ready(rawValue: 0x04) }
  /// Nothing can be sent any more (EPOLLHUP, or EPOLLERR alone).
  @inlinable public static var writeClosed: Ready { Ready(rawValue: 0x08) }
  /// Urgent data is there (EPOLLPRI).
  @inlinable public static var priority: Ready { Ready(rawValue: 0x10) }
  /// An error is pending (EPOLLERR). Three bits, because three kinds of calls can fetch it, and
  /// what one does not find any more another may: reads, writes, and those of the error queue.
  @inlinable public static var error: Ready { Ready(rawValue: 0xE0) }
  /// The bit of `error` for whoever waits for errors, and those for attempts.
  package static var failed: Ready { Ready(rawValue: 0x20) }
  package static var readFailed: Ready { Ready(rawValue: 0x40) }
  package static var writeFailed: Ready { Ready(rawValue: 0x80) }

  @inlinable public static var all: Ready { Ready(rawValue: 0xFF) }

  /// The bits that the read generation dates: those of `readSide`, priority, failed.
  static var readReport: Ready { Ready(rawValue: 0x75) }
  /// The bits that let an attempt to read go on: readable, readClosed, its share of error.
  @inlinable public static var readSide: Ready { Ready(rawValue: 0x45) }
  /// The bits that let an attempt to write go on: writable, writeClosed, its share of error.
  @inlinable public static var writeSide: Ready { Ready(rawValue: 0x8A) }
}
