internal import CLinux

/// The O_NONBLOCK flags of descriptors 0, 1 and 2, which belong to whoever started the process
/// as well: a shell that finds its terminal non-blocking fails.
final class StandardStreams {
  /// Bit n: descriptor n was blocking before `setNonBlocking`.
  private var changed: UInt8 = 0

  /// Returns 0 or `-EBADF`.
  func setNonBlocking(_ fd: Int32) -> Int32 {
    let before = linux_set_non_blocking(fd, 1)
    if before == 0, fd <= 2 { changed |= 1 << UInt8(fd) }
    return min(before, 0)
  }

  func restore() {
    for fd: Int32 in 0...2 where changed & 1 << UInt8(fd) != 0 {
      _ = linux_set_non_blocking(fd, 0)
    }
    changed = 0
  }
}
