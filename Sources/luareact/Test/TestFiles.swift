import Glibc
import Reactor

/// Which files `luareact test` runs.
enum TestFiles {
  /// The folders among the paths: modules that tests share are found there.
  static func folders(_ paths: [String], _ kernel: Kernel) -> [String] {
    paths.filter { path in
      var status = FileStatus()
      return CPath(path).map { kernel.status($0, &status) } == 0 && status.kind == .directory
    }
  }

  /// The files that are named, and the `.lua` files in the folders that are, each once and a
  /// folder's in the order of their names.
  ///
  /// - Throws: `UsageError` for a path that is not there or cannot be read.
  static func find(_ paths: [String], _ kernel: Kernel) throws -> [String] {
    var files: [String] = []
    for path in paths { try add(path, &files, kernel, isNamed: true) }
    var seen: Set<String> = []
    return files.filter { seen.insert($0).inserted }
  }

  private static func isLeftOut(_ name: String) -> Bool {
    name.hasPrefix(".") || name.hasPrefix("_") || name == "support"
  }

  private static func add(
    _ path: String, _ files: inout [String], _ kernel: Kernel, isNamed: Bool
  ) throws {
    guard let name = CPath(path) else { throw UsageError(text: "not a path: \(path)") }
    var status = FileStatus()
    let result = kernel.status(name, &status)
    if result < 0 {
      if !isNamed { return }  // a dangling link in a folder
      throw UsageError(text: "cannot open \(path): \(SystemError.text(of: -result))")
    }
    guard status.kind == .directory else {
      if isNamed || path.hasSuffix(".lua") { files.append(path) }
      return
    }
    var names: [String] = []
    let listed = kernel.list(name, &names)
    if listed < 0 {
      throw UsageError(text: "cannot read \(path): \(SystemError.text(of: -listed))")
    }
    let folder = path.hasSuffix("/") ? path : path + "/"
    for name in names.sorted() where !isLeftOut(name) {
      try add(folder + name, &files, kernel, isNamed: false)
    }
  }
}
