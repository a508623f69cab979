import Foundation
import Reactor
import Testing

@testable import Simulator

/// What a capture of a world looks like to a program that knows the protocols.
@Suite struct `Captures` {
  /// A capture in the oldest format of all: what was sent, in order. Source: pcap-savefile(5).
  final class Capture {
    private(set) var file: [UInt8] = []
    private(set) var count = 0

    init(_ world: World) {
      add([0xA1B2_3C4D, 4 << 16 | 2, 0, 0, 65_535, 101])
      world.onPacket = { [unowned self] event in
        guard event.kind == .sent else { return }
        let bytes = event.bytes
        add([
          UInt32(event.time / 1_000_000_000), UInt32(event.time % 1_000_000_000),
          UInt32(bytes.count), UInt32(bytes.count),
        ])
        file += bytes
        count += 1
      }
    }

    private func add(_ words: [UInt32]) {
      for word in words { unsafe withUnsafeBytes(of: word.littleEndian) { unsafe file += $0 } }
    }
  }

  static let tshark = "/usr/bin/tshark"
  static var hasTshark: Bool { FileManager.default.isExecutableFile(atPath: tshark) }

  /// How many frames of a capture a filter of tshark finds.
  private func count(_ capture: Capture, _ filter: String) throws -> Int {
    let path = FileManager.default.temporaryDirectory.path + "/world-\(UUID().uuidString).pcap"
    try Data(capture.file).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let process = Foundation.Process()
    process.executableURL = URL(fileURLWithPath: Self.tshark)
    process.arguments = [
      "-r", path, "-Y", filter, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
      "-o", "udp.check_checksum:TRUE", "-T", "fields", "-e", "frame.number",
    ]
    let output = Foundation.Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let lines = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return lines.split(separator: UInt8(ascii: "\n")).count
  }

  /// A connection over a link that loses packets, datagrams of both families, and an answer that
  /// nobody listens.
  private func exchange(seed: UInt64) throws -> (Capture, Bench) {
    let bench = Bench(seed: seed)
    let (client, server) = (bench.node("client"), bench.node("server"))
    let capture = Capture(bench.world)
    bench.world.setLink(from: .all, to: .all, try LinkRule(parsing: "delay 20ms loss 5%"))
    let listener = server.listener(80)
    let one = Transfer(
      client, fd: client.connect(server.address(80)), bytes: [UInt8](repeating: 1, count: 80_000),
      portion: 9_000, isConnected: false)
    client.program = { _ in one.turn() }
    var two: Transfer?
    server.program = { process in
      if two == nil, case let fd = process.accept(listener), fd >= 0 {
        two = Transfer(process, fd: fd, bytes: [2, 3], portion: 4_000, isConnected: true)
      }
      two?.turn()
    }
    let udp = client.socket(2)
    _ = client.send(udp, [1, 2, 3], to: server.address(9))
    let six = client.socket(2, family: 10)
    _ = client.send(six, [], to: server.node.addressIPv6(port: 9))
    bench.run(seconds: 1_000)
    #expect(two?.received == one.bytes)
    return (capture, bench)
  }

  @Test(.enabled(if: hasTshark, "tshark is not installed"))
  func `tshark finds no malformed frame, no bad checksum, and the same retransmissions`() throws {
    for seed: UInt64 in 1...2 {
      let (capture, bench) = try exchange(seed: seed)
      #expect(try count(capture, "frame") == capture.count)
      #expect(try count(capture, "_ws.malformed") == 0)
      let bad = "ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0"
      #expect(try count(capture, bad + " || icmp.checksum.status == 0") == 0)
      let again = try count(
        capture, "tcp.analysis.retransmission || tcp.analysis.out_of_order")
      let counted = bench.processes.reduce(0) { $0 + Int($1.node.counters.retransmissions) }
      #expect(again == counted, "seed \(seed)")
    }
  }

  @Test func `a broken packet has a wrong checksum, and nothing else has`() throws {
    let bench = Bench()
    let (one, two) = (bench.node("one"), bench.node("two"))
    bench.world.setLink(from: .all, to: .all, try LinkRule(parsing: "corrupt 100%"))
    var sums: [PacketEvent.Kind: Set<UInt16>] = [:]
    bench.world.onPacket = { event in
      // The sum over all but the header, with the pseudo header, is 0xFFFF (RFC 1071).
      let bytes = event.bytes
      var sum = UInt64(bytes.count - 20 + 17)
      for (index, byte) in bytes.enumerated().dropFirst(12) {
        sum += index % 2 == 0 ? UInt64(byte) << 8 : UInt64(byte)
      }
      while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
      sums[event.kind, default: []].insert(UInt16(sum))
    }
    let fd = one.socket(2)
    for size in 1...9 { _ = one.send(fd, [UInt8](0..<UInt8(size)), to: two.address(7)) }
    bench.run(seconds: 1)
    #expect(sums[.sent] == [0xFFFF])
    #expect(sums[.received]?.contains(0xFFFF) == false)
    #expect(sums[.dropped(.checksum)] == sums[.received])
  }
}
