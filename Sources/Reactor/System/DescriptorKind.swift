internal import CLinux
import Glibc

/// What sort of thing a descriptor is, as far as reading and writing differ between them.
public enum DescriptorKind: UInt8, Sendable {
  /// A TCP (or MPTCP) socket: a plain stream of bytes.
  case streamSocket
  /// A Unix stream socket: a read stops where passed descriptors or other credentials begin.
  case unixStreamSocket
  case listeningSocket
  case datagramSocket
  case seqpacketSocket
  /// A socket of another kind: raw, netlink, vsock, SCTP.
  case otherSocket
  case pipe
  /// The writing end of a pipe in packet mode (O_DIRECT). Its reading end looks like a `pipe`.
  case packetPipe
  case terminal
  case characterDevice
  case blockDevice
  case regularFile
  case directory
  /// An eventfd, a timerfd, a pidfd, an epoll or another descriptor without a file.
  case other

  /// The kind as a word that scripts see.
  public var word: StaticString {
    switch self {
    case .streamSocket, .unixStreamSocket, .listeningSocket, .datagramSocket, .seqpacketSocket,
      .otherSocket:
      "socket"
    case .pipe, .packetPipe: "pipe"
    case .terminal, .characterDevice: "character device"
    case .blockDevice: "block device"
    case .regularFile: "file"
    case .directory: "directory"
    case .other: "other"
    }
  }

  public var isSocket: Bool { rawValue <= Self.otherSocket.rawValue }

  /// Whether a read that got less than it asked for has emptied the descriptor, so that the next
  /// event will tell of new data and no second read needs to find EAGAIN.
  ///
  /// Not for a Unix stream (a read stops at passed descriptors) and not for a pipe, whose reading
  /// end does not tell whether its writer sends packets; a pipe that the program made by itself
  /// is a plain one. On a TCP socket a read also stops at the mark of urgent data.
  /// Source: epoll(7).
  public var shortReadMeansEmpty: Bool { self == .streamSocket }

  /// Whether a write that took less than it was given has filled the descriptor.
  public var shortWriteMeansFull: Bool {
    self == .streamSocket || self == .unixStreamSocket || self == .pipe
  }
}

extension DescriptorKind {
  /// Decides from what fstat(2) and socket(7) tell.
  init(_ descriptor: linux_descriptor) {
    self.init(mode: descriptor.mode)
    switch self {
    case .otherSocket: self = .init(socket: descriptor)
    case .pipe where descriptor.packets != 0: self = .packetPipe
    case .characterDevice where descriptor.terminal != 0: self = .terminal
    default: break
    }
  }

  /// Decides from `st_mode` alone, as for a path.
  init(mode: UInt32) {
    switch mode_t(mode) & S_IFMT {
    case S_IFSOCK: self = .otherSocket
    case S_IFIFO: self = .pipe
    case S_IFCHR: self = .characterDevice
    case S_IFBLK: self = .blockDevice
    case S_IFREG: self = .regularFile
    case S_IFDIR: self = .directory
    default: self = .other
    }
  }

  private init(socket: linux_descriptor) {
    let (stream, datagram, seqpacket): (Int32, Int32, Int32) = (1, 2, 5)
    switch socket.type {
    case _ where socket.listening != 0: self = .listeningSocket
    case stream where socket.domain == AF_UNIX: self = .unixStreamSocket
    case stream where socket.protocol == IPPROTO_TCP || socket.protocol == IPPROTO_MPTCP:
      self = .streamSocket
    case datagram: self = .datagramSocket
    case seqpacket: self = .seqpacketSocket
    default: self = .otherSocket
    }
  }
}
