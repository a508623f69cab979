import Reactor

/// The names that the nodes of a world can look up: those of the nodes, "localhost", and what
/// the owner adds or breaks.
public struct NameTable {
  /// What a look-up comes to.
  public enum Answer: Sendable {
    case addresses([SocketAddress])
    /// There is no such name: EAI_NONAME.
    case unknown
    /// The servers failed: EAI_AGAIN.
    case failure
  }

  private var entries: [String: Answer] = [:]
  /// Nanoseconds that a look-up takes.
  public var delay: UInt64 = 0

  /// Gives a name an answer, instead of the one that it has. Ports are those of the look-up.
  public mutating func set(_ name: String, _ answer: Answer?) { entries[name] = answer }

  /// Looks up as getaddrinfo(3) does: numeric hosts, names, and the names of some services.
  func resolve(_ host: String, service: String, in world: World) -> Resolution {
    guard let port = Self.port(service) else {
      return .failure(name: "EAI_SERVICE", text: "service not known")
    }
    switch answer(host, in: world) {
    case .unknown: return .failure(name: "EAI_NONAME", text: "name or service not known")
    case .failure:
      return .failure(name: "EAI_AGAIN", text: "temporary failure in name resolution")
    case .addresses(let addresses):
      return .addresses(
        addresses.map { address in
          var address = address
          address.port = port
          return address
        })
    }
  }

  private func answer(_ host: String, in world: World) -> Answer {
    if let address = SocketAddress(host: host, port: 0) { return .addresses([address]) }
    if let answer = entries[host] { return answer }
    if host == "localhost" {
      return .addresses([
        Endpoint(.loopbackIPv4, 0).socketAddress(isIPv6: false),
        Endpoint(.loopbackIPv6, 0).socketAddress(isIPv6: true),
      ])
    }
    guard let node = world.node(named: host) else { return .unknown }
    return .addresses([node.address(port: 0), node.addressIPv6(port: 0)])
  }

  /// nil: neither a port nor the name of a service that is known here.
  private static func port(_ service: String) -> UInt16? {
    switch service {
    case "": 0
    case "ftp": 21
    case "ssh": 22
    case "telnet": 23
    case "smtp": 25
    case "domain": 53
    case "tftp": 69
    case "http": 80
    case "pop3": 110
    case "ntp": 123
    case "imap2": 143
    case "https": 443
    case "mqtt": 1883
    case "postgresql": 5432
    case "redis": 6379
    case "http-alt": 8080
    default: UInt16(service)
    }
  }
}
