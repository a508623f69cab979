internal import CLinux
import Glibc

/// Does a `FileJob` with the calls of Linux, in the thread that asks.
enum FileWork {
  static func perform(_ job: FileJob) -> FileAnswer {
    switch job {
    case .open(let path, let flags, let mode):
      answer(unsafe path.withCString { unsafe linux_open($0, flags, mode) })
    case .read(let fd, let count, let offset): read(fd, count, offset)
    case .write(let fd, let bytes, let offset): write(fd, bytes, offset)
    case .synchronize(let fd): answer(linux_sync(fd))
    case .truncate(let fd, let length): answer(linux_truncate(fd, length))
    case .size(let fd): answer(linux_seek(fd, 0, SEEK_END))
    case .close(let fd): answer(linux_close(fd))
    case .synchronizePath(let path): synchronize(path)
    case .status(let path): status(path)
    case .list(let path): list(path)
    case .rename(let from, let to):
      answer(
        unsafe from.withCString { old in
          unsafe to.withCString { new in unsafe linux_rename(old, new) }
        })
    case .unlink(let path): answer(unsafe path.withCString { unsafe linux_unlink($0) })
    case .makeDirectory(let path, let mode):
      answer(unsafe path.withCString { unsafe linux_make_directory($0, mode) })
    case .removeDirectory(let path):
      answer(unsafe path.withCString { unsafe linux_remove_directory($0) })
    }
  }

  private static func answer(_ result: some SignedInteger) -> FileAnswer {
    result < 0 ? .failed(Int32(truncatingIfNeeded: -result)) : .count(Int64(result))
  }

  private static func read(_ fd: Int32, _ count: Int, _ offset: Int64) -> FileAnswer {
    var failure = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(count, 0)) { buffer, filled in
      while filled < count {
        let rest = unsafe UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
        let got = unsafe linux_read_at(fd, rest.baseAddress, rest.count, offset + Int64(filled))
        if got < 0, filled == 0 { failure = got }
        guard got > 0 else { return }
        filled += got
      }
    }
    return failure < 0 ? answer(failure) : .bytes(bytes)
  }

  private static func write(_ fd: Int32, _ bytes: [UInt8], _ offset: Int64) -> FileAnswer {
    unsafe bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
        let put = unsafe linux_write_at(fd, rest.baseAddress, rest.count, offset + Int64(done))
        if put < 0, done == 0 { return answer(put) }
        guard put > 0 else { break }
        done += put
      }
      return .count(Int64(done))
    }
  }

  private static func synchronize(_ path: CPath) -> FileAnswer {
    let fd = unsafe path.withCString { unsafe linux_open($0, O_RDONLY, 0) }
    guard fd >= 0 else { return answer(fd) }
    let result = linux_sync(fd)
    _ = linux_close(fd)
    return answer(result)
  }

  private static func status(_ path: CPath) -> FileAnswer {
    var raw = linux_status()
    let result = unsafe path.withCString { unsafe linux_stat($0, &raw) }
    return result < 0 ? answer(result) : .status(FileStatus(raw))
  }

  private static func list(_ path: CPath) -> FileAnswer {
    var names: [String] = []
    let result = DirectoryListing.read(path, &names)
    return result < 0 ? answer(result) : .names(names)
  }
}
