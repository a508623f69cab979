import Glibc
import Reactor

/// What the kernel does for file jobs; its verbs on files stand with the others.
extension SimulatedKernel {
  func perform(_ job: FileJob, on disk: Disk) -> FileAnswer {
    var result: Int32 = 0
    switch job {
    case .open(let path, let flags, let mode): return answer(open(path, flags: flags, mode: mode))
    case .read(let fd, let count, let offset):
      guard let file = descriptors[fd] as? DiskFile else { return .failed(EBADF) }
      return read(file, count, offset)
    case .write(let fd, let bytes, let offset):
      guard let file = descriptors[fd] as? DiskFile else { return .failed(EBADF) }
      return write(file, bytes, offset)
    case .size(let fd):
      guard let file = descriptors[fd] as? DiskFile else { return .failed(EBADF) }
      return .count(file.size)
    case .synchronize(let fd): result = descriptors[fd]?.synchronize() ?? -EBADF
    case .truncate(let fd, let length):
      result = descriptors[fd]?.truncate(length: length) ?? -EBADF
    case .close(let fd): result = close(fd)
    case .synchronizePath(let path): result = disk.synchronize(path)
    case .status(let path):
      var status = FileStatus()
      result = disk.status(path, &status)
      if result == 0 { return .status(status) }
    case .list(let path):
      var names: [String] = []
      result = disk.list(path, &names)
      if result == 0 { return .names(names) }
    case .rename(let from, let to): result = disk.rename(from, to)
    case .unlink(let path): result = disk.unlink(path)
    case .makeDirectory(let path, let mode): result = disk.makeDirectory(path, mode: mode)
    case .removeDirectory(let path): result = disk.removeDirectory(path)
    }
    return answer(result)
  }

  private func answer(_ result: some SignedInteger) -> FileAnswer {
    result < 0 ? .failed(Int32(truncatingIfNeeded: -result)) : .count(Int64(result))
  }

  /// All that is asked for, in as many calls as the disk makes of it.
  private func read(_ file: DiskFile, _ count: Int, _ offset: Int64) -> FileAnswer {
    var failure = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(count, 0)) { buffer, filled in
      while filled < count {
        let rest = unsafe UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
        let got = unsafe file.read(rest, at: offset + Int64(filled))
        if got < 0, filled == 0 { failure = got }
        guard got > 0 else { return }
        filled += got
      }
    }
    return failure < 0 ? answer(failure) : .bytes(bytes)
  }

  private func write(_ file: DiskFile, _ bytes: [UInt8], _ offset: Int64) -> FileAnswer {
    unsafe bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
        let put = unsafe file.write(rest, at: offset + Int64(done))
        if put < 0, done == 0 { return answer(put) }
        guard put > 0 else { break }
        done += put
      }
      return .count(Int64(done))
    }
  }
}
