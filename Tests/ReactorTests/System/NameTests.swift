import Glibc
import Testing

@testable import Reactor

@Suite(.timeLimit(.minutes(2))) struct NameTests {
  @Test func `localhost has a loopback address with the port that was asked for`() throws {
    let fixture = try Fixture()
    #expect(isMissing(fixture.kernel.takeResolved(token: 1)))
    #expect(fixture.kernel.resolve("localhost", service: "80", token: 1) == 0)
    #expect(fixture.ready(1) == .readable)
    let texts = try #require(addresses(fixture.kernel.takeResolved(token: 1)))
    #expect(texts.contains("127.0.0.1:80") || texts.contains("[::1]:80"))
    #expect(isMissing(fixture.kernel.takeResolved(token: 1)))
    #expect(fixture.events().isEmpty)
  }

  @Test func `a name that does not exist is an error with a name and a text`() throws {
    let fixture = try Fixture()
    #expect(fixture.kernel.resolve("nonexistent.invalid", service: "", token: 1) == 0)
    #expect(fixture.ready(1) == .readable)
    guard case .failure(let name, let text) = fixture.kernel.takeResolved(token: 1) else {
      Issue.record("an answer without a failure")
      return
    }
    #expect(["EAI_NONAME", "EAI_AGAIN", "EAI_NODATA"].contains(name.description))
    #expect(!text.description.isEmpty)
  }

  @Test func `a cancelled look-up gives no event and frees its token`() throws {
    let fixture = try Fixture()
    for round: UInt8 in 1...100 {
      #expect(fixture.kernel.resolve("127.0.0.1", service: "", token: 1) == 0)
      fixture.kernel.cancelResolve(token: 1)
      #expect(fixture.kernel.resolve("127.0.0.\(round)", service: "1", token: 1) == 0)
      #expect(fixture.ready(1) == .readable)
      let answer = fixture.kernel.takeResolved(token: 1)
      #expect(addresses(answer) == ["127.0.0.\(round):1"])
      #expect(fixture.kernel.resolve("127.0.0.1", service: "", token: 2) == 0)
      fixture.kernel.cancelResolve(token: 2)
      #expect(isMissing(fixture.kernel.takeResolved(token: 2)))
    }
    #expect(fixture.events().isEmpty)
  }

  @Test func `answers beyond the room of a batch come with the next poll, each once`() throws {
    let fixture = try Fixture(batchCapacity: 2)
    for token: UInt64 in 0..<50 {
      #expect(fixture.kernel.resolve("::1", service: "", token: token) == 0)
    }
    var seen: [UInt64] = []
    while seen.count < 50 {
      #expect(fixture.kernel.poll(until: nil, into: fixture.batch) == 0)
      seen += (0..<fixture.batch.count).map { fixture.batch[$0].token }
    }
    #expect(seen.sorted() == [UInt64](0..<50))
    #expect(fixture.events().isEmpty)
  }

  @Test func `the look-ups that wait are limited and each token has one`() throws {
    let fixture = try Fixture()
    for token: UInt64 in 0..<1024 {
      #expect(fixture.kernel.resolve("127.0.0.1", service: "", token: token) == 0)
    }
    #expect(fixture.kernel.resolve("127.0.0.1", service: "", token: 1024) == -EAGAIN)
    fixture.kernel.cancelResolve(token: 3)
    #expect(fixture.kernel.resolve("127.0.0.1", service: "", token: 4) == -EEXIST)
    #expect(fixture.kernel.resolve("127.0.0.1", service: "", token: 3) == 0)
  }

  @Test func `names that the C library would misread are refused`() throws {
    let kernel = try LinuxKernel()
    #expect(kernel.resolve("a\0b", service: "", token: 1) == -EINVAL)
    #expect(kernel.resolve("localhost", service: "80\0", token: 1) == -EINVAL)
    #expect(kernel.resolve("localhost", service: "65536", token: 1) == -EINVAL)
    #expect(kernel.resolve("localhost", service: "", token: .max) == -EINVAL)
  }

  private func addresses(_ resolution: Resolution?) -> [String]? {
    guard case .addresses(let addresses) = resolution else { return nil }
    return addresses.map(\.description)
  }

  private func isMissing(_ resolution: Resolution?) -> Bool {
    if case .none = resolution { true } else { false }
  }
}
