internal import CLinux

/// Reads the names of a directory. Source: readdir(3).
enum DirectoryListing {
  static func read(_ path: borrowing CPath, _ names: inout [String]) -> Int32 {
    var opened: OpaquePointer?
    let result = unsafe path.withCString { unsafe linux_directory_open($0, &opened) }
    guard result == 0, let directory = unsafe opened else { return result }
    defer { unsafe linux_directory_close(directory) }
    return unsafe withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: Int(LINUX_NAME_CAPACITY)
    ) { buffer in
      guard let name = buffer.baseAddress else { return 0 }
      while true {
        let next = unsafe linux_directory_next(directory, name)
        guard next > 0 else { return next }
        names.append(unsafe String(cString: name))
      }
    }
  }
}
