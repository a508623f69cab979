import Glibc
import LuaHost

/// Takes memory away from scripts, one allocation after the other, and sees what they do.
///
/// Each run is a process of its own, forked before any Lua state exists. It must end in success,
/// or with "not enough memory": never with a signal, a panic, a hang, or anything leaked.
@main
struct AllocationSweep {
  static func main() {
    let options = Options(Array(CommandLine.arguments.dropFirst()))
    let scripts = options.scripts()
    if scripts.isEmpty { Options.fail("no scripts in \(options.folder)") }
    var sweep = Sweep(
      sources: Dictionary(uniqueKeysWithValues: scripts.map { ($0.name, $0.source) }),
      jobs: options.one == nil ? options.jobs : 1)
    if let point = options.one {
      sweep.show(point)
    } else {
      run(options, scripts.map(\.name), &sweep)
    }
    exit(sweep.findings == 0 ? 0 : 1)
  }

  private static func run(_ options: Options, _ names: [String], _ sweep: inout Sweep) {
    let opening = "opening"
    for (index, name) in ([opening] + names).enumerated() {
      guard options.names.isEmpty || options.names.contains(name) else { continue }
      var row = name
      for mode in LuaHost.FailureMode.allCases {
        let before = sweep.points
        let isOpening = name == opening
        let step: UInt64 = options.isQuick ? (isOpening ? 53 : 23) : 1
        // The samples of different scripts start at different allocations.
        let from = options.isQuick ? UInt64(index * 7 + Int(mode.rawValue) * 3) % step + 1 : 1
        let point = Point(
          script: isOpening ? names[0] : name, mode: mode, first: from, isOpening: isOpening)
        let last = sweep.sweep(point, from: from, step: step)
        row += "  \(mode) \(sweep.points - before) of \(last)"
      }
      print(row)
    }
    print("\(sweep.points) runs, \(sweep.findings) findings")
  }
}
