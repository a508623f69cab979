import Glibc
import Reactor
import Simulator

// Measures the simulator alone, without Lua: WorldBench [timers|actions|udp|tcp|connect [COUNT]]
// prints what happened, and how often a second of this machine.

struct Measure {
  let clock: LinuxKernel
  let wanted: String
  let count: Int?

  /// Runs a case, and prints how many things of a name it did, and how fast.
  func callAsFunction(_ name: String, _ usual: Int, _ body: (Int) -> (Int, String)) {
    guard wanted == "all" || wanted == name else { return }
    let begin = clock.monotonic()
    let (done, what) = body(count ?? usual)
    let nanoseconds = max(clock.monotonic() - begin, 1)
    let rate = UInt64(done) * 1_000_000_000 / nanoseconds
    print("\(name): \(done) \(what), \(rate) a second")
  }
}

let arguments = CommandLine.arguments.dropFirst()
let measure = Measure(
  clock: try LinuxKernel(), wanted: arguments.first ?? "all",
  count: arguments.dropFirst().first.flatMap { Int($0) })
measure("timers", 4_000_000) { timers(nodes: 100_000, hops: $0) }
measure("actions", 4_000_000) { actions(pending: 100_000, hops: $0) }
measure("udp", 2_000_000, datagrams)
measure("tcp", 500_000_000, stream)
measure("connect", 20_000, connections)
