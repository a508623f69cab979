internal import CLinux

/// What stat(2) tells of a file.
public struct FileStatus: Sendable {
  public var kind = DescriptorKind.other
  /// The lower twelve bits of `st_mode`: permissions, set-user-id, set-group-id, sticky.
  public var permissions: UInt32 = 0
  /// Bytes.
  public var size: Int64 = 0
  public var user: UInt32 = 0
  public var group: UInt32 = 0
  public var device: UInt64 = 0
  public var inode: UInt64 = 0
  public var links: UInt64 = 0
  /// When the contents last changed: nanoseconds since 1970-01-01 UTC.
  public var modified: Int64 = 0
  /// When the contents were last read: nanoseconds since 1970-01-01 UTC.
  public var accessed: Int64 = 0
  /// When the inode last changed: nanoseconds since 1970-01-01 UTC.
  public var changed: Int64 = 0

  public init() {}
}

extension FileStatus {
  init(_ raw: linux_status) {
    kind = DescriptorKind(mode: raw.mode)
    permissions = raw.mode & 0o7777
    size = raw.size
    user = raw.user
    group = raw.group
    device = raw.device
    inode = raw.inode
    links = raw.links
    modified = raw.modified
    accessed = raw.accessed
    changed = raw.changed
  }
}
