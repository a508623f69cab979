import Glibc
import LuaHost
import Reactor

/// The process of one test file: a Lua program (Lua/test_file.lua) that tells the runner what
/// happens, as records on descriptor 3.
struct TestFile {
  private static let events: Int32 = 3

  private let options: TestOptions
  private let path: String
  private let kernel: LinuxKernel

  init(_ options: TestOptions) throws {
    self.options = options
    path = options.paths.first ?? ""
    kernel = try LinuxKernel()
  }

  /// Runs the file, and returns the exit code.
  func run() throws -> Int32 {
    // Nobody but this process writes there.
    guard fcntl(Self.events, F_SETFD, FD_CLOEXEC) == 0 else {
      throw UsageError(text: "--child is for `luareact test` itself")
    }
    let file = try SourceFile(Array(path.utf8), kernel)
    let host = try LuaHost(kernel: kernel)
    host.reportPrefix = "luareact: "
    var folders = SearchPath.folders(script: path)
    folders.insert(contentsOf: options.folder, at: 1)
    host.searchPaths = folders
    let options = options
    try host.define("options", in: TestRun.module) { _ in [options.value] }
    try host.define("source_of_file", in: TestRun.module) { _ in [.bytes(file.chunk.source)] }
    try host.define("emit", in: TestRun.module) { arguments in
      Self.emit((0..<arguments.count).map { arguments[$0].field })
      return []
    }
    try host.setArguments([.text(path)], script: 0)
    try host.load([Chunk(PackageResources.test_file_lua, name: "=[luareact.test_file]")])
    let code = try ExitCode.of(host.run())
    Self.emit([Array("exit".utf8), Array("\(host.reportCount)".utf8)])
    return code
  }

  /// Writes a record: its length, and its fields, each after its length.
  private static func emit(_ fields: [[UInt8]]) {
    // When the runner is gone, there is nobody to test for.
    if !put(framed(fields.flatMap(framed)), events) { exit(ExitCode.failed) }
  }

  private static func framed(_ bytes: [UInt8]) -> [UInt8] {
    let length = UInt32(clamping: bytes.count)
    return (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + bytes
  }
}

extension Value {
  /// A string or a number as the bytes of a record.
  fileprivate var field: [UInt8] {
    switch self {
    case .bytes(let bytes): bytes
    case .integer(let number): Array("\(number)".utf8)
    case .number(let number): Array("\(number)".utf8)
    default: []
    }
  }
}
