import Glibc
import LuaHost
import Reactor

/// `luareact test`: a Lua program (Lua/test_runner.lua) over functions that start processes.
struct TestRun {
  static let module = "luareact.test"

  private let options: TestOptions
  private let kernel: LinuxKernel

  init(_ options: TestOptions) throws {
    self.options = options
    kernel = try LinuxKernel()
  }

  /// Runs all files, and returns the exit code.
  func run() throws -> Int32 {
    let host = try LuaHost(kernel: kernel)
    host.reportPrefix = "luareact: "
    try define(in: host)
    try host.load([Chunk(PackageResources.test_runner_lua, name: "=[luareact.test_runner]")])
    return try ExitCode.of(host.run())
  }

  private func define(in host: LuaHost) throws {
    let (options, kernel) = (options, kernel)
    try host.define("options", in: Self.module) { _ in [options.value] }
    try host.define("source", in: Self.module) { [Self.source($0[0].text ?? "")] }
    try host.define("files", in: Self.module) { _ in
      [.list(try TestFiles.find(options.paths, kernel).map(Value.text))]
    }
    let words = Self.words(options, kernel)
    try host.define("spawn", in: Self.module) { arguments in
      guard case .bytes(let path) = arguments[0] else { return [] }
      return try Self.spawn(words + [path], kernel)
    }
    try host.define("kill", in: Self.module) { arguments in
      [.boolean(kernel.signal(arguments[0].descriptor, number: SIGKILL) == 0)]
    }
    try host.define("reap", in: Self.module) { arguments in
      var end = ProcessEnd.exited(0)
      let result = kernel.reap(arguments[0].descriptor, &end)
      if result < 0 { throw SystemError(result, in: "waitid") }
      switch end {
      case .exited(let code): return [.integer(Int64(code))]
      case .killed(let signal): return [.nil, .integer(Int64(signal))]
      }
    }
  }

  /// The Lua source of a part of the runner.
  private static func source(_ name: String) -> Value {
    switch name {
    case "report_text": .bytes(PackageResources.report_text_lua)
    case "report_tap": .bytes(PackageResources.report_tap_lua)
    case "report_junit": .bytes(PackageResources.report_junit_lua)
    default: .nil
    }
  }

  /// Starts this program again for one file. Answers the process, its output (standard error goes
  /// the same way), and what it tells of its tests.
  private static func spawn(_ words: [[UInt8]], _ kernel: LinuxKernel) throws -> [Value] {
    var ours: [Int32] = []
    var theirs: [Int32] = []
    defer { for fd in theirs { _ = kernel.close(fd) } }
    do throws(SystemError) {
      theirs.append(try open("/dev/null", kernel))
      for _ in 0..<2 {
        var (reading, writing): (Int32, Int32) = (-1, -1)
        let result = kernel.pipe(&reading, &writing)
        if result < 0 { throw SystemError(result, in: "pipe") }
        ours.append(reading)
        theirs.append(writing)
      }
      let process = kernel.spawn(
        words, streams: [theirs[0], theirs[1], theirs[1], theirs[2]])
      if process < 0 { throw SystemError(process, in: "posix_spawn") }
      return ([process] + ours).map { .integer(Int64($0)) }
    } catch {
      for fd in ours { _ = kernel.close(fd) }
      throw error
    }
  }

  private static func open(_ path: String, _ kernel: LinuxKernel) throws(SystemError) -> Int32 {
    guard let path = CPath(path) else { throw SystemError(ENOENT, in: "open") }
    let fd = kernel.open(path, flags: O_RDONLY, mode: 0)
    if fd < 0 { throw SystemError(fd, in: "open") }
    return fd
  }

  /// The command line of a child, up to its file.
  private static func words(_ options: TestOptions, _ kernel: LinuxKernel) -> [[UInt8]] {
    var words = ["/proc/self/exe", "test", "--child", "--timeout", "\(options.timeout)"]
    if let filter = options.filter { words.append("--filter=" + filter) }
    words += TestFiles.folders(options.paths, kernel).map { "--folder=" + $0 }
    return (words + ["--"]).map { Array($0.utf8) }
  }
}

extension Value {
  /// A descriptor that a script passes on.
  fileprivate var descriptor: Int32 {
    guard case .integer(let number) = self else { return -1 }
    return Int32(exactly: number) ?? -1
  }
}

extension TestOptions {
  /// The options as a script sees them.
  var value: Value {
    .table([
      (.text("jobs"), .integer(Int64(jobs))), (.text("timeout"), .number(timeout)),
      (.text("filter"), filter.map(Value.text) ?? .boolean(false)),
      (.text("tap"), .boolean(tap)), (.text("verbose"), .boolean(verbose)),
      (.text("junit"), junit.map(Value.text) ?? .boolean(false)),
      (.text("path"), .text(paths.first ?? "")),
    ])
  }
}
