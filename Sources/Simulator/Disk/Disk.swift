import Glibc
import Reactor

/// The disk of a node: files that outlive the process, and of which a loss of power leaves what
/// was made safe by fsync(2).
///
/// The content of a file is safe after a `synchronize` of the file, its name after one of its
/// directory. There are no links, and everybody is root.
public final class Disk {
  /// Bytes that fit; 2^40 unless a fault says otherwise.
  public var capacity: Int64 = 1 << 40
  /// Whether fsync(2) answers EIO. As on Linux, what it should have made safe then counts as
  /// clean: a second fsync(2) that succeeds does not make it safe before it is written again.
  public var failsSynchronize = false
  /// The most bytes that one read(2) or write(2) takes; nil: as many as are asked for.
  public var longestTransfer: Int?
  /// Whether a loss of power may leave some pages of unsafe content behind, and others not.
  public var tears = false
  /// Nanoseconds that a job takes at least, and by how much it may take longer.
  public var latency: UInt64 = 100_000
  public var jitter: UInt64 = 0

  let root: Inode
  /// Bytes that the contents take.
  private(set) var used: Int64 = 0
  private var inodeCount: UInt64 = 1
  private var luck: RandomStream
  @safe unowned(unsafe) let node: Node

  init(node: Node) {
    self.node = node
    luck = RandomStream(seed: node.world.seed, .disk, from: UInt64(node.index))
    root = Inode(1, isDirectory: true, permissions: 0o755, modified: 0)
    root.links = 1
    root.set(Array("tmp".utf8), makeInode(isDirectory: true, 0o777))
    root.safeEntries = root.entries
  }

  // MARK: The owner

  /// Puts a file on the disk, as if it had always been there. Directories are made.
  ///
  /// - Returns: 0, or `-errno` where the path leads through a file.
  @discardableResult
  public func install(_ path: String, _ bytes: [UInt8]) -> Int32 {
    var names = Self.components(Array(path.utf8))
    guard let last = names.popLast() else { return -EISDIR }
    var directory = root
    for name in names {
      if directory.find(name) == nil {
        directory.set(name, makeInode(isDirectory: true, 0o755))
        directory.safeEntries = directory.entries
      }
      guard let next = directory.find(name), next.isDirectory else { return -ENOTDIR }
      directory = next
    }
    let file = makeInode(isDirectory: false, 0o644)
    file.content = PagedBytes(bytes)
    file.safeContent = file.content
    used += Int64(bytes.count)
    directory.set(last, file)
    directory.safeEntries = directory.entries
    return 0
  }

  /// The content of a file as programs see it; nil when there is none.
  public func content(of path: String) -> [UInt8]? {
    var result: Int32 = 0
    guard let file = find(Array(path.utf8), &result), !file.isDirectory else { return nil }
    return unsafe [UInt8](unsafeUninitializedCapacity: file.content.count) { buffer, count in
      count = unsafe file.content.read(UnsafeMutableRawBufferPointer(buffer), at: 0)
    }
  }

  /// Forgets what was not made safe.
  public func losePower() {
    used = 0
    losePower(below: root)
  }

  private func losePower(below directory: Inode) {
    directory.entries = directory.safeEntries
    for entry in directory.entries {
      let inode = entry.inode
      inode.links = 1
      if inode.isDirectory { losePower(below: inode) } else { losePower(of: inode) }
    }
  }

  private func losePower(of file: Inode) {
    var left = file.safeContent
    if tears, file.isDirty {
      for page in 0..<max(file.content.pageCount, left.pageCount) where luck.next() & 1 == 1 {
        left.takePage(page, from: file.content)
      }
    }
    file.content = left
    file.safeContent = left
    file.isDirty = false
    used += Int64(left.count)
  }

  // MARK: Paths

  func makeInode(isDirectory: Bool, _ permissions: UInt32) -> Inode {
    inodeCount += 1
    return Inode(
      inodeCount, isDirectory: isDirectory, permissions: permissions,
      modified: node.clock.wall(at: node.present))
  }

  static func components(_ path: [UInt8]) -> [[UInt8]] {
    path.split(separator: UInt8(ascii: "/")).map { Array($0) }
  }

  /// What a path leads to, from the root. Sets `result` to `-errno` when it leads nowhere.
  func find(_ path: [UInt8], _ result: inout Int32) -> Inode? {
    guard !path.isEmpty else {
      result = -ENOENT
      return nil
    }
    var trail = [root]
    for name in Self.components(path) {
      guard let here = trail.last, here.isDirectory else {
        result = -ENOTDIR
        return nil
      }
      switch name {
      case Array(".".utf8): continue
      case Array("..".utf8): if trail.count > 1 { trail.removeLast() }
      default:
        guard let next = here.find(name) else {
          result = -ENOENT
          return nil
        }
        trail.append(next)
      }
    }
    if path.last == UInt8(ascii: "/"), trail.last?.isDirectory == false {
      result = -ENOTDIR
      return nil
    }
    return trail.last
  }

  /// The directory that a path's last name stands in, and that name.
  func parent(_ path: [UInt8], _ result: inout Int32) -> (directory: Inode, name: [UInt8])? {
    guard let name = Self.components(path).last else {
      result = path.isEmpty ? -ENOENT : -EEXIST
      return nil
    }
    var above = path
    while above.last == UInt8(ascii: "/") { above.removeLast() }
    above.removeLast(name.count)
    guard let directory = find(above.isEmpty ? [UInt8(ascii: "/")] : above, &result) else {
      return nil
    }
    guard directory.isDirectory else {
      result = -ENOTDIR
      return nil
    }
    return (directory, name)
  }

  // MARK: Room

  /// Whether `bytes` more fit; they count from now on.
  func reserve(_ bytes: Int64) -> Bool {
    guard bytes <= 0 || used + bytes <= capacity else { return false }
    used += bytes
    return true
  }

  /// A name of a file is gone; with its last one, its room is free.
  func drop(_ file: Inode) {
    if file.links == 0, !file.isDirectory { used -= Int64(file.content.count) }
  }

  /// How long the next job takes, in nanoseconds.
  func nextLatency() -> UInt64 {
    guard jitter > 0 else { return latency }
    return latency &+ luck.next() % (jitter &+ 1)
  }
}
