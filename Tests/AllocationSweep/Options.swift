import Glibc
import LuaHost

/// The command line: `AllocationSweep [--quick] [--jobs N] [--scripts DIR] [NAME…]`, or
/// `AllocationSweep --one NAME MODE N [--opening]`, which repeats one run.
struct Options {
  var isQuick = false
  var jobs = 2
  var folder = "Tests/AllocationSweep/scripts"
  var names: [String] = []
  var one: Point?

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--quick": isQuick = true
      case "--jobs": jobs = rest.popFirst().flatMap { Int($0) } ?? jobs
      case "--scripts": folder = rest.popFirst() ?? folder
      case "--opening": one?.isOpening = true
      case "--one":
        let words = Array(rest.prefix(3))
        rest = rest.dropFirst(3)
        guard words.count == 3, let mode = Self.mode(words[1]), let first = UInt64(words[2]) else {
          Self.fail("--one needs NAME MODE N; a mode is once, twice or always")
        }
        one = Point(script: words[0], mode: mode, first: first, isOpening: false)
      default: names.append(argument)
      }
    }
  }

  private static func mode(_ text: String) -> LuaHost.FailureMode? {
    LuaHost.FailureMode.allCases.first { "\($0)" == text }
  }

  static func fail(_ text: String) -> Never {
    print("AllocationSweep: \(text)")
    exit(2)
  }

  /// The command line that repeats a run.
  static func command(for point: Point) -> String {
    let opening = point.isOpening ? " --opening" : ""
    return "AllocationSweep --one \(point.script) \(point.mode) \(point.first)\(opening)"
  }

  /// The scripts by name, in alphabetical order.
  func scripts() -> [(name: String, source: [UInt8])] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob(folder + "/*.lua", 0, nil, &found) == 0 else { return [] }
    var result: [(String, [UInt8])] = []
    for index in unsafe 0..<Int(found.gl_pathc) {
      guard let path = unsafe found.gl_pathv[index] else { continue }
      let text = unsafe String(cString: path)
      let name = String(text.split(separator: "/").last?.dropLast(4) ?? "")
      result.append((name, Self.read(text)))
    }
    return result
  }

  private static func read(_ path: String) -> [UInt8] {
    guard let file = unsafe fopen(path, "r") else { return [] }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
  }
}
