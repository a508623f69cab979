import Glibc
import Reactor
import Testing

@testable import Simulator

/// Connections over links that lose, double, break and mix up what they carry.
@Suite struct `TCP over bad links` {
  private static let rules = [
    "delay 1ms", "delay 10ms 5ms loss 5%", "delay 5ms loss 30% duplicate 10%",
    "delay 20ms 15ms distribution normal reorder 25% gap 3", "delay 1ms corrupt 10%",
    "delay 2ms loss gemodel 3% 60%", "rate 2mbit limit 20 delay 5ms",
    "delay 3ms 3ms distribution pareto loss 10% duplicate 10% reorder 20% corrupt 5%",
    "loss 20%", "delay 100ms 99ms loss 10%",
  ]

  /// Sends bytes both ways over a bad link, and looks for anything that is left over.
  private func transfer(seed: UInt64) throws -> Bench {
    let bench = Bench(seed: seed)
    var random = RandomStream(seed: seed, .owner)
    let (client, server) = (bench.node("client"), bench.node("server"))
    let text = Self.rules[Int(seed) % Self.rules.count]
    bench.world.setLink(from: .all, to: .all, try LinkRule(parsing: text))
    func bytes() -> [UInt8] {
      (0..<random.below(60_000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
    let listener = server.listener(80)
    let fd = client.connect(server.address(80))
    let one = Transfer(
      client, fd: fd, bytes: bytes(), portion: Int(random.below(20_000)) + 1, isConnected: false)
    client.program = { _ in one.turn() }
    var two: Transfer?
    let (answer, portion) = (bytes(), Int(random.below(20_000)) + 1)
    server.program = { process in
      if two == nil, case let fd = process.accept(listener), fd >= 0 {
        two = Transfer(process, fd: fd, bytes: answer, portion: portion, isConnected: true)
      }
      two?.turn()
    }
    bench.run(seconds: 2_000)
    let other = try #require(two, "seed \(seed): never accepted")
    #expect(one.error == 0 && other.error == 0, "seed \(seed): \(one.error) \(other.error)")
    #expect(one.isDone && other.isDone, "seed \(seed)")
    let isEqual = one.received == other.bytes && other.received == one.bytes
    #expect(isEqual, "seed \(seed): \(text)")
    #expect(bench.world.network.packets.live == 0, "seed \(seed)")
    #expect(client.node.tcp.count + server.node.tcp.count == 0, "seed \(seed)")
    return bench
  }

  @Test(arguments: 0..<10)
  func `every byte arrives once and in order`(_ tens: UInt64) throws {
    for seed in tens * 10..<tens * 10 + 10 { _ = try transfer(seed: seed) }
  }

  @Test func `the same seed gives the same run`() throws {
    for seed: UInt64 in 100..<110 {
      let (one, two) = (try transfer(seed: seed), try transfer(seed: seed))
      #expect(one.world.eventCount == two.world.eventCount)
      #expect(one.processes.map(\.turns) == two.processes.map(\.turns))
    }
  }
}
