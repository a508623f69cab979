/// The answer of a look-up of a name: its addresses, or why there are none.
public enum Resolution: Sendable {
  /// At least one address, in the order of RFC 6724, each with the port that was asked for.
  case addresses([SocketAddress])
  /// `name` is an error of getaddrinfo(3) ("EAI_NONAME") or an errno's; `text` says it in words.
  case failure(name: StaticString, text: StaticString)
}

extension Resolution {
  /// The failure that getaddrinfo(3) reports by number.
  init(failure code: Int32, errno: Int32) {
    let entry =
      switch code {
      case -1: ErrorEntry("EAI_BADFLAGS", "bad flags for a look-up")
      case -2: ErrorEntry("EAI_NONAME", "name or service not known")
      case -3: ErrorEntry("EAI_AGAIN", "temporary failure in name resolution")
      case -4: ErrorEntry("EAI_FAIL", "name resolution failed")
      case -5: ErrorEntry("EAI_NODATA", "no address associated with the name")
      case -6: ErrorEntry("EAI_FAMILY", "address family not supported")
      case -7: ErrorEntry("EAI_SOCKTYPE", "socket type not supported")
      case -8: ErrorEntry("EAI_SERVICE", "service not known")
      case -10: ErrorEntry("EAI_MEMORY", "out of memory")
      case -11: ErrorEntry(errno: errno)
      case -12: ErrorEntry("EAI_OVERFLOW", "the answer is too long")
      default: ErrorEntry("EAI_UNKNOWN", "unknown error of name resolution")
      }
    self = .failure(name: entry.name, text: entry.text)
  }
}
