import Glibc
import Reactor

/// The verbs on paths, with the answers of Linux.
extension Disk {
  /// Opens a file or a directory, or makes a file.
  func open(_ path: CPath, flags: Int32, mode: UInt32, _ result: inout Int32) -> DiskFile? {
    let path = path.bytes
    var found: Int32 = 0
    var inode = find(path, &found)
    if inode == nil, found == -ENOENT, flags & O_CREAT != 0 {
      guard path.last != UInt8(ascii: "/") else {
        result = -EISDIR
        return nil
      }
      guard let (directory, name) = parent(path, &found) else {
        result = found
        return nil
      }
      let made = makeInode(isDirectory: false, mode & 0o7777 & ~0o022)
      directory.set(name, made)
      directory.modified = made.modified
      inode = made
    } else if inode != nil, flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL {
      result = -EEXIST
      return nil
    }
    guard let inode else {
      result = found
      return nil
    }
    guard !inode.isSocket else {
      result = -ENXIO
      return nil
    }
    let writes = flags & O_ACCMODE != O_RDONLY
    if inode.isDirectory {
      guard !writes, flags & O_CREAT == 0 else {
        result = -EISDIR
        return nil
      }
    } else if flags & O_DIRECTORY != 0 {
      result = -ENOTDIR
      return nil
    }
    let file = DiskFile(disk: self, inode: inode, flags: flags)
    if writes, flags & O_TRUNC != 0 { _ = file.truncate(length: 0) }
    return file
  }

  /// Makes the file that names a Unix socket. Sets `result` to `-errno` when it cannot be made,
  /// `-EEXIST` when the name is taken.
  func makeSocket(_ path: [UInt8], _ result: inout Int32) -> Inode? {
    guard let place = parent(path, &result) else { return nil }
    guard place.directory.find(place.name) == nil else {
      result = -EEXIST
      return nil
    }
    let inode = makeInode(isDirectory: false, 0o755)
    inode.isSocket = true
    place.directory.set(place.name, inode)
    return inode
  }

  func status(_ path: CPath, _ status: inout FileStatus) -> Int32 {
    var result: Int32 = 0
    guard let inode = find(path.bytes, &result) else { return result }
    status = inode.status
    return 0
  }

  func rename(_ from: CPath, _ to: CPath) -> Int32 {
    var result: Int32 = 0
    guard let inode = find(from.bytes, &result), let old = parent(from.bytes, &result),
      let new = parent(to.bytes, &result)
    else { return result }
    if let there = new.directory.find(new.name) {
      if there === inode { return 0 }
      if there.isDirectory != inode.isDirectory { return there.isDirectory ? -EISDIR : -ENOTDIR }
      if there.isDirectory, !there.entries.isEmpty { return -ENOTEMPTY }
    }
    if inode.isDirectory, inode === new.directory || holds(inode, new.directory) { return -EINVAL }
    let replaced = new.directory.find(new.name)
    new.directory.set(new.name, inode)
    old.directory.remove(old.name)
    replaced.map(drop)
    return 0
  }

  /// Whether a directory is somewhere above another.
  private func holds(_ above: Inode, _ below: Inode) -> Bool {
    above.entries.contains { entry in
      entry.inode.isDirectory && (entry.inode === below || holds(entry.inode, below))
    }
  }

  func unlink(_ path: CPath) -> Int32 {
    var result: Int32 = 0
    guard let inode = find(path.bytes, &result), let place = parent(path.bytes, &result) else {
      return result
    }
    guard !inode.isDirectory else { return -EISDIR }
    place.directory.remove(place.name)
    drop(inode)
    return 0
  }

  func makeDirectory(_ path: CPath, mode: UInt32) -> Int32 {
    var result: Int32 = 0
    guard let place = parent(path.bytes, &result) else { return result }
    guard place.directory.find(place.name) == nil, !Self.isDots(place.name) else { return -EEXIST }
    place.directory.set(place.name, makeInode(isDirectory: true, mode & 0o7777 & ~0o022))
    return 0
  }

  func removeDirectory(_ path: CPath) -> Int32 {
    var result: Int32 = 0
    guard let inode = find(path.bytes, &result) else { return result }
    guard inode.isDirectory else { return -ENOTDIR }
    guard let place = parent(path.bytes, &result) else { return -EBUSY }
    guard !Self.isDots(place.name) else { return -EINVAL }
    guard inode.entries.isEmpty else { return -ENOTEMPTY }
    place.directory.remove(place.name)
    return 0
  }

  func list(_ path: CPath, _ names: inout [String]) -> Int32 {
    var result: Int32 = 0
    guard let inode = find(path.bytes, &result) else { return result }
    guard inode.isDirectory else { return -ENOTDIR }
    names = inode.entries.map { String(decoding: $0.name, as: UTF8.self) }
    return 0
  }

  func synchronize(_ path: CPath) -> Int32 {
    var result: Int32 = 0
    guard let inode = find(path.bytes, &result) else { return result }
    return synchronize(inode)
  }

  /// Makes the content of a file, or the names in a directory, safe.
  func synchronize(_ inode: Inode) -> Int32 {
    if failsSynchronize {
      inode.isDirty = false
      return -EIO
    }
    if inode.isDirectory {
      inode.safeEntries = inode.entries
    } else if inode.isDirty {
      inode.safeContent = inode.content
      inode.isDirty = false
    }
    return 0
  }

  private static func isDots(_ name: [UInt8]) -> Bool {
    name == Array(".".utf8) || name == Array("..".utf8)
  }
}
