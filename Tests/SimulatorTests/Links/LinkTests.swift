import Glibc
import Reactor
import Simulator
import Testing

@Suite struct `Links` {
  let bench = Bench()
  let one: Process
  let two: Process
  let fd: Int32

  init() {
    one = bench.node("one")
    two = bench.node("two")
    fd = two.socket(2)
    _ = two.kernel.bind(fd, two.address(7))
  }

  /// Sends `count` datagrams `gap` nanoseconds apart, and returns what came: number and time.
  private func exchange(
    _ count: Int, gap: UInt64 = 0, size: Int = 2
  ) -> [(number: Int, time: UInt64)] {
    let sender = one.socket(2)
    let begin = bench.world.now
    for number in 0..<count {
      bench.world.at(begin + UInt64(number) * gap) {
        var bytes = [UInt8](repeating: 0, count: size)
        (bytes[0], bytes[1]) = (UInt8(number & 0xFF), UInt8(number >> 8))
        _ = one.send(sender, bytes, to: two.address(7))
      }
    }
    var arrived: [(Int, UInt64)] = []
    two.program = { process in
      while let bytes = process.receive(fd) {
        arrived.append((Int(bytes[0]) | Int(bytes[1]) << 8, bench.world.now - begin))
      }
    }
    bench.run(seconds: 100)
    return arrived
  }

  private func set(_ rule: String) throws {
    bench.world.setLink(from: .all, to: .all, try LinkRule(parsing: rule))
  }

  @Test func `a rate spaces packets by their size`() throws {
    try set("delay 1ms rate 1mbit")
    // 28 bytes of headers and 97 of data are 1,000 bits: 1 ms each.
    let arrived = exchange(5, size: 97)
    #expect(arrived.map(\.time) == [2, 3, 4, 5, 6].map { $0 * 1_000_000 })
  }

  @Test func `a full queue drops the newest`() throws {
    try set("rate 1mbit limit 3")
    #expect(exchange(10, size: 97).map(\.number) == [0, 1, 2])
    #expect(exchange(3, gap: 1_000_000, size: 97).count == 3)
  }

  @Test func `packets that skip the delay overtake the others`() throws {
    try set("delay 10ms reorder 100% gap 3")
    let arrived = exchange(9, gap: 1_000_000)
    #expect(
      arrived.map(\.number)
        == [2, 5, 8, 0, 1, 3, 4, 6, 7].sorted { one, other in
          let times = (0..<9).map { UInt64($0) + ($0 % 3 == 2 ? 0 : 10) }
          return (times[one], one) < (times[other], other)
        })
  }

  @Test func `every packet can come twice`() throws {
    try set("duplicate 100%")
    #expect(exchange(3).map(\.number) == [0, 0, 1, 1, 2, 2])
  }

  @Test func `a broken packet is dropped by its receiver, a mangled one is not`() throws {
    try set("corrupt 100%")
    #expect(exchange(3).isEmpty)
    try set("mangle 100%")
    let arrived = exchange(200)
    #expect(arrived.count == 200)
    #expect(zip(arrived, 0..<200).allSatisfy { ($0.0.number ^ $0.1).nonzeroBitCount == 1 })
  }

  @Test func `the last rule that fits holds, in its direction`() throws {
    try set("drop")
    bench.world.setLink(
      from: NodeSet([one.node]), to: NodeSet([two.node]), try LinkRule(parsing: "delay 3ms"))
    #expect(exchange(1).map(\.time) == [3_000_000])
    let back = one.socket(2)
    _ = one.kernel.bind(back, one.address(9))
    _ = two.send(fd, [1], to: one.address(9))
    bench.run(seconds: 1)
    #expect(one.receive(back) == nil)
  }

  @Test func `a partition cuts one way, and what is on its way only when told so`() throws {
    let drop = try LinkRule(parsing: "drop")
    let path = [(from: NodeSet([one.node]), to: NodeSet([two.node]))]
    var ids: [ConditionID] = []
    bench.world.at(2_050_000) { ids.append(bench.world.impose(drop, on: path)) }
    bench.world.at(4_500_000) { bench.world.lift(ids[0]) }
    bench.world.at(7_050_000) { ids.append(bench.world.impose(drop, on: path, cuts: true)) }
    bench.world.at(8_500_000) { bench.world.lift(ids[1]) }
    // Number 7 leaves 50 µs before the second cut, and would arrive 50 µs after it.
    #expect(exchange(11, gap: 1_000_000).map(\.number) == [0, 1, 2, 5, 6, 9, 10])
    #expect(!bench.world.lift(ids[0]))
  }

  @Test func `packets that were held go on, in order, when that ends`() throws {
    let hold = try LinkRule(parsing: "hold")
    let id = bench.world.impose(hold, on: [(.all, .all)])
    bench.world.at(5_500_000) { bench.world.lift(id) }
    let arrived = exchange(8, gap: 1_000_000)
    #expect(arrived.map(\.number) == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(arrived.prefix(6).allSatisfy { $0.time == 5_600_000 })
  }

  @Test func `taking a fault away changes nobody else's luck`() throws {
    func run(withBurst: Bool, nodes: Int) throws -> [Int] {
      let bench = Bench(seed: 3)
      let (one, two) = (bench.node("one"), bench.node("two"))
      let others = (0..<nodes).map { bench.node("other\($0)") }
      bench.world.setLink(
        from: .all, to: .all, try LinkRule(parsing: "delay 1ms 1ms loss 30% duplicate 10%"))
      if withBurst {
        _ = bench.world.impose(
          try LinkRule(parsing: "loss 50%"), on: [(.all, NodeSet(others.map(\.node)))])
      }
      let fd = two.socket(2)
      _ = two.kernel.bind(fd, two.address(7))
      let sender = one.socket(2)
      for number in 0..<200 {
        _ = one.send(sender, [UInt8(number)], to: two.address(7))
        for other in others { _ = one.send(sender, [1], to: other.address(7)) }
      }
      bench.run(seconds: 1)
      var numbers: [Int] = []
      while let bytes = two.receive(fd) { numbers += bytes.map { Int($0) } }
      return numbers
    }
    let plain = try run(withBurst: false, nodes: 0)
    #expect(plain.count > 100 && plain.count < 180)
    #expect(try run(withBurst: false, nodes: 3) == plain)
    #expect(try run(withBurst: true, nodes: 3) == plain)
  }
}
