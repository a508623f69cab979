/// When to ask whether an idle peer is still there.
struct KeepAlive {
  var options = TCPOptions()
  /// When something came last, a moment of the world.
  var heard: UInt64 = 0
  /// Probes without an answer.
  var probes = 0

  var idle: UInt64 { options.keepIdle * 1_000_000_000 }
  var interval: UInt64 { options.keepInterval * 1_000_000_000 }
  var userTimeout: UInt64 { options.userTimeout * 1_000_000 }
}
