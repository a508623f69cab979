import Foundation

/// Where things are.
enum Paths {
  /// The root of the package.
  static let root: String = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    return url.path
  }()

  /// The command, which the build puts beside the tests.
  static let command: String = {
    let tests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = URL(fileURLWithPath: tests ?? "").deletingLastPathComponent()
    return folder.appendingPathComponent("luareact").path
  }()

  /// The Lua files of a folder of the package, in order, as paths from the root.
  static func scripts(_ folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/" + folder)) ?? []
    return names.filter { $0.hasSuffix(".lua") }.sorted().map { folder + "/" + $0 }
  }
}
