import Glibc
import Reactor

/// An open file or directory of a simulated disk.
final class DiskFile: OpenFile {
  private let disk: Disk
  private let inode: Inode
  private let flags: Int32
  private var offset: Int64 = 0

  init(disk: Disk, inode: Inode, flags: Int32) {
    self.disk = disk
    self.inode = inode
    self.flags = flags
    super.init(node: disk.node)
  }

  override var kind: DescriptorKind { inode.isDirectory ? .directory : .regularFile }

  override func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = unsafe read(buffer, at: offset)
    if count > 0 { offset += Int64(count) }
    return count
  }

  override func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    let count = unsafe write(bytes, at: offset)
    if count > 0 { offset = flags & O_APPEND != 0 ? size : offset + Int64(count) }
    return count
  }

  /// Source: pread(2).
  func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
    if inode.isDirectory { return Int(-EISDIR) }
    guard flags & O_ACCMODE != O_WRONLY else { return Int(-EBADF) }
    guard offset >= 0 else { return Int(-EINVAL) }
    let wanted = min(buffer.count, disk.longestTransfer ?? .max)
    return unsafe inode.content.read(
      UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: Int(offset))
  }

  /// Source: pwrite(2). Writes what still fits.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) -> Int {
    guard flags & O_ACCMODE != O_RDONLY else { return Int(-EBADF) }
    let start = flags & O_APPEND != 0 ? size : offset
    guard start >= 0, start <= Int64.max / 2 else { return Int(-EFBIG) }
    guard unsafe !bytes.isEmpty else { return 0 }
    var count = min(bytes.count, disk.longestTransfer ?? .max)
    let room = max(disk.capacity - disk.used, 0) + max(size - start, 0)
    count = Int(min(Int64(count), room))
    guard count > 0, disk.reserve(max(start + Int64(count) - size, 0)) else { return Int(-ENOSPC) }
    inode.isDirty = true
    inode.modified = node.clock.wall(at: node.present)
    return unsafe inode.content.write(
      UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: Int(start))
  }

  var size: Int64 { Int64(inode.content.count) }

  override func seek(offset: Int64, whence: Int32) -> Int64 {
    let base =
      switch whence {
      case SEEK_SET: Int64(0)
      case SEEK_CUR: self.offset
      case SEEK_END: size
      default: Int64(-1)
      }
    let (target, overflow) = base.addingReportingOverflow(offset)
    guard base >= 0, !overflow, target >= 0 else { return Int64(-EINVAL) }
    self.offset = target
    return target
  }

  override func synchronize() -> Int32 { disk.synchronize(inode) }

  override func truncate(length: Int64) -> Int32 {
    guard length >= 0, flags & O_ACCMODE != O_RDONLY, !inode.isDirectory else { return -EINVAL }
    guard length <= Int64.max / 2 else { return -EFBIG }
    // An extension is a hole, which takes no room; what is cut off gives its room back.
    _ = disk.reserve(min(length - size, 0))
    inode.content.truncate(to: Int(length))
    inode.isDirty = true
    inode.modified = node.clock.wall(at: node.present)
    return 0
  }
}
