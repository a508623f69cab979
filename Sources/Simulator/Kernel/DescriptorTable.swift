import Glibc

/// The descriptors of a process: the lowest free number is used first, as POSIX wants it.
struct DescriptorTable {
  private var files: [OpenFile?] = []
  /// No number below is free.
  private var lowestFree = 0
  /// How many descriptors a process may have: RLIMIT_NOFILE.
  var limit = 1_048_576

  /// - Returns: the number, or `-EMFILE`.
  mutating func insert(_ file: OpenFile) -> Int32 {
    while lowestFree < files.count, files[lowestFree] != nil { lowestFree += 1 }
    guard lowestFree < limit else { return -EMFILE }
    file.references += 1
    if lowestFree == files.count { files.append(file) } else { files[lowestFree] = file }
    defer { lowestFree += 1 }
    return Int32(lowestFree)
  }

  @inline(__always)
  subscript(fd: Int32) -> OpenFile? {
    fd >= 0 && fd < files.count ? files[Int(fd)] : nil
  }

  /// Takes a number out; the caller releases the file.
  mutating func remove(_ fd: Int32) -> OpenFile? {
    guard let file = self[fd] else { return nil }
    files[Int(fd)] = nil
    lowestFree = min(lowestFree, Int(fd))
    return file
  }

  /// The numbers that are in use, lowest first.
  var numbers: [Int32] {
    files.indices.compactMap { files[$0] == nil ? nil : Int32($0) }
  }
}
