import Reactor

/// A file or a directory of a simulated disk: as programs see it, and as the disk has it safe.
final class Inode {
  let number: UInt64
  let isDirectory: Bool
  /// The name of a Unix socket.
  var isSocket = false
  var permissions: UInt32
  /// Names that lead here.
  var links: UInt64 = 0
  /// Nanoseconds since 1970, of the node's clock.
  var modified: Int64

  /// What a file holds.
  var content = PagedBytes()
  /// What would be left of it without power.
  var safeContent = PagedBytes()
  /// Whether `content` has been changed since it was safe.
  var isDirty = false

  /// What a directory holds, in the order of names.
  var entries: [Entry] = []
  var safeEntries: [Entry] = []

  struct Entry {
    let name: [UInt8]
    let inode: Inode
  }

  init(_ number: UInt64, isDirectory: Bool, permissions: UInt32, modified: Int64) {
    self.number = number
    self.isDirectory = isDirectory
    self.permissions = permissions
    self.modified = modified
  }

  func find(_ name: [UInt8]) -> Inode? {
    let index = place(of: name)
    return index < entries.count && entries[index].name == name ? entries[index].inode : nil
  }

  /// Gives `inode` a name here, in place of what had it.
  func set(_ name: [UInt8], _ inode: Inode) {
    let index = place(of: name)
    inode.links += 1
    if index < entries.count, entries[index].name == name {
      entries[index].inode.links -= 1
      entries[index] = Entry(name: name, inode: inode)
    } else {
      entries.insert(Entry(name: name, inode: inode), at: index)
    }
  }

  func remove(_ name: [UInt8]) {
    let index = place(of: name)
    guard index < entries.count, entries[index].name == name else { return }
    entries[index].inode.links -= 1
    entries.remove(at: index)
  }

  /// The first entry whose name is not before `name`.
  private func place(of name: [UInt8]) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].name.lexicographicallyPrecedes(name) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  var status: FileStatus {
    var status = FileStatus()
    status.kind = isDirectory ? .directory : isSocket ? .otherSocket : .regularFile
    status.permissions = permissions
    status.size = Int64(isDirectory ? PagedBytes.pageSize : content.count)
    status.inode = number
    status.links = isDirectory ? 2 : links
    status.modified = modified
    status.accessed = modified
    status.changed = modified
    return status
  }
}
