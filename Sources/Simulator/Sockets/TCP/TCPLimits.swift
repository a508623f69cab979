/// The numbers of TCP, as Linux has them by default. Times are nanoseconds.
enum TCPLimits {
  /// The first retransmission timeout, and the least and the longest. Source: RFC 6298, and
  /// TCP_RTO_MIN, TCP_RTO_MAX.
  static let firstTimeout: UInt64 = 1_000_000_000
  static let leastTimeout: UInt64 = 200_000_000
  static let longestTimeout: UInt64 = 120_000_000_000
  /// How often a SYN, a SYN with ACK, data, and data of a closed socket are sent again: 127 s,
  /// 63 s, about 924 s, about 100 s. Source: tcp_syn_retries, tcp_synack_retries, tcp_retries2,
  /// tcp_orphan_retries in tcp(7).
  static let synRetries = 6
  static let synAckRetries = 5
  static let dataRetries = 15
  static let orphanRetries = 8
  /// How long an acknowledgement may wait for data to go with: TCP_DELACK_MIN.
  static let delayedAck: UInt64 = 40_000_000
  /// TIME_WAIT, and FIN_WAIT_2 of a closed socket: tcp_fin_timeout.
  static let timeWait: UInt64 = 60_000_000_000
  /// How long TCP_CORK holds back a part of a segment.
  static let cork: UInt64 = 200_000_000
  /// tcp_keepalive_time, tcp_keepalive_intvl (seconds), tcp_keepalive_probes.
  static let keepIdle: UInt64 = 7_200
  static let keepInterval: UInt64 = 75
  static let keepCount = 9

  /// Bytes of data that wait to be acknowledged, or to be read; half of what SO_SNDBUF and
  /// SO_RCVBUF say, as in Linux, where the other half is for the kernel's own records.
  static let sendRoom = 131_072
  static let receiveRoom = 65_536
  static let leastRoom = 2_304
  static let mostRoom = 4_194_304
  /// The scale of the windows that a connection announces, enough for the largest room.
  static let windowScale: UInt8 = 7

  /// Data in a segment between nodes (an MTU of 1,500 bytes), and within one (65,536).
  static let segmentIPv4 = 1_460
  static let segmentIPv6 = 1_440
  static let segmentLoopback = 65_495
  /// What a peer takes that does not say. Source: RFC 9293, section 3.7.1.
  static let segmentDefault = 536
  /// Segments that may be sent before the first acknowledgement. Source: RFC 6928.
  static let firstWindow = 10

  /// The most half-open connections of a listener: tcp_max_syn_backlog.
  static let halfOpen = 1_024
  /// net.core.somaxconn.
  static let mostBacklog: Int32 = 4_096
}
