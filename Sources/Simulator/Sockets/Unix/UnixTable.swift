import Glibc
import Reactor

/// The names of a node's Unix sockets: abstract ones, and the files of others. Source: unix(7).
final class UnixTable {
  @safe @exclusivity(unchecked) private var abstract: [[UInt8]: UnixSocket] = [:]
  /// By the number of the inode.
  @safe @exclusivity(unchecked) private var files: [UInt64: UnixSocket] = [:]
  @safe @exclusivity(unchecked) private var lastAutomatic: UInt32 = 0

  enum Name {
    case abstract([UInt8])
    case file(UInt64)
  }

  /// Gives a socket a name. Fails with EADDRINUSE, or the error of making the file.
  func bind(_ socket: UnixSocket, to path: [UInt8], on disk: Disk) -> Result<Name, Errno> {
    if path.first == 0 {
      let name = [UInt8](path.dropFirst())
      guard abstract[name] == nil else { return .failure(Errno(code: EADDRINUSE)) }
      abstract[name] = socket
      return .success(.abstract(name))
    }
    var result: Int32 = 0
    guard let inode = disk.makeSocket(path, &result) else {
      return .failure(Errno(code: result == -EEXIST ? EADDRINUSE : -result))
    }
    files[inode.number] = socket
    return .success(.file(inode.number))
  }

  /// A free abstract name of five digits, for a socket that is bound to nothing.
  func automaticName() -> [UInt8] {
    while true {
      let digits = String(lastAutomatic, radix: 16)
      lastAutomatic = (lastAutomatic + 1) & 0xF_FFFF
      let name = Array((String(repeating: "0", count: 5 - digits.count) + digits).utf8)
      if abstract[name] == nil { return [0] + name }
    }
  }

  /// Finds who has a name. Fails with ECONNREFUSED, or ENOENT and the other errors of a path.
  func find(_ path: [UInt8], on disk: Disk) -> Result<UnixSocket, Errno> {
    if path.first == 0 {
      guard let socket = abstract[[UInt8](path.dropFirst())] else {
        return .failure(Errno(code: ECONNREFUSED))
      }
      return .success(socket)
    }
    var result: Int32 = 0
    guard let inode = disk.find(path, &result) else { return .failure(Errno(code: -result)) }
    guard let socket = files[inode.number] else { return .failure(Errno(code: ECONNREFUSED)) }
    return .success(socket)
  }

  /// The file stays, as on Linux, until somebody unlinks it.
  func remove(_ name: Name) {
    switch name {
    case .abstract(let bytes): abstract[bytes] = nil
    case .file(let number): files[number] = nil
    }
  }

  func removeAll() {
    abstract = [:]
    files = [:]
  }
}
