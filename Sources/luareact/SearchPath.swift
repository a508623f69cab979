import Glibc

/// Where `require` looks first: beside the script, then in the library that belongs to this
/// binary. A folder that is not there costs a look at its name, and only when a module is missing
/// before it.
enum SearchPath {
  static func folders(script: String?) -> [String] {
    var folders: [String] = []
    if let script { folders.append(folder(of: script) ?? ".") }
    if let root = libraryRoot() { folders += [root + "/lib", root] }
    return folders
  }

  /// `scripts` of the checkout in whose `.build` the binary is, or `PREFIX/share/luareact`.
  private static func libraryRoot() -> String? {
    guard let binary = binaryPath() else { return nil }
    var path = binary
    while let parent = folder(of: path), parent != path {
      if path.dropFirst(parent.count).hasPrefix("/.build") { return parent + "/scripts" }
      path = parent
    }
    guard let folder = folder(of: binary), folder.hasSuffix("/bin") else { return nil }
    return folder.dropLast("bin".count) + "share/luareact"
  }

  private static func binaryPath() -> String? {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count)
    return count > 0
      ? String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
  }

  private static func folder(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/") else { return nil }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
