/// Work on files that may take as long as the disk does: `Kernel.begin`.
///
/// Offsets and lengths are bytes. Jobs on one descriptor are done in the order of asking.
public enum FileJob: Sendable {
  /// Answers the descriptor. Source: open(2).
  case open(CPath, flags: Int32, mode: UInt32)
  /// Answers the bytes, fewer than `count` at the end of the file. Source: pread(2).
  case read(Int32, count: Int, at: Int64)
  /// Answers how many bytes were written: all of them, or those before the disk was full.
  /// Source: pwrite(2).
  case write(Int32, [UInt8], at: Int64)
  /// Source: fsync(2).
  case synchronize(Int32)
  /// Source: ftruncate(2).
  case truncate(Int32, length: Int64)
  /// Answers the size. Source: lseek(2).
  case size(Int32)
  /// Closes after everything that was asked before. Source: close(2).
  case close(Int32)
  /// Makes what is at a path safe, the entries of a directory included: open(2), fsync(2).
  case synchronizePath(CPath)
  /// Source: stat(2).
  case status(CPath)
  /// Answers the names of a directory, without "." and "..". Source: readdir(3).
  case list(CPath)
  /// Source: rename(2).
  case rename(CPath, CPath)
  /// Source: unlink(2).
  case unlink(CPath)
  /// Source: mkdir(2).
  case makeDirectory(CPath, mode: UInt32)
  /// Source: rmdir(2).
  case removeDirectory(CPath)

  /// The open file that the job is about.
  var descriptor: Int32? {
    switch self {
    case .read(let fd, _, _), .write(let fd, _, _), .synchronize(let fd), .truncate(let fd, _),
      .size(let fd), .close(let fd):
      fd
    default: nil
    }
  }
}

/// What came of a `FileJob`.
public enum FileAnswer: Sendable {
  /// A Linux error number, positive.
  case failed(Int32)
  /// A descriptor, a number of bytes, or 0 where there is nothing to tell.
  case count(Int64)
  case bytes([UInt8])
  case status(FileStatus)
  case names([String])
}
