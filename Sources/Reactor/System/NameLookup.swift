internal import CLinux

/// A look-up of a name with getaddrinfo(3), which blocks.
enum NameLookup {
  private static let maximumAddresses = 64

  /// Whether getaddrinfo would read these as they are meant: no NUL, and no number above 65,535,
  /// which it would take modulo 65,536.
  static func isSound(host: String, service: String) -> Bool {
    isPlain(host) && isPlain(service) && isService(service)
  }

  private static func isPlain(_ text: String) -> Bool { !text.utf8.contains(0) }

  private static func isService(_ text: String) -> Bool {
    let isNumber = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return !isNumber || text.isEmpty || UInt16(text) != nil
  }

  static func resolve(_ host: String, _ service: String) -> Resolution {
    unsafe withUnsafeTemporaryAllocation(
      of: linux_address.self, capacity: maximumAddresses
    ) { addresses in
      guard let start = addresses.baseAddress else { return .init(failure: -10, errno: 0) }
      var count: Int32 = 0
      var error: Int32 = 0
      let capacity = Int32(addresses.count)
      let result =
        service.isEmpty
        ? unsafe linux_resolve(host, nil, start, capacity, &count, &error)
        : unsafe linux_resolve(host, service, start, capacity, &count, &error)
      guard result == 0 else { return Resolution(failure: result, errno: error) }
      return .addresses(unsafe addresses.prefix(Int(count)).map { SocketAddress(raw: $0) })
    }
  }
}
