import Glibc
import Testing

@testable import Reactor

@Suite struct ValueTests {
  @Test func `every Linux error has a name and a text in lower case`() {
    for code: Int32 in 1...133 where code != 41 && code != 58 {
      let (name, text) = (SystemError.name(of: code).description, SystemError.text(of: code))
      #expect(name.first == "E" && name != "EUNKNOWN", "\(code)")
      #expect(!text.description.isEmpty && text.hasPointerRepresentation)
    }
    #expect(SystemError.name(of: ECONNREFUSED).description == "ECONNREFUSED")
    #expect(SystemError.text(of: ECONNREFUSED).description == "connection refused")
    #expect(SystemError.name(of: EHWPOISON).description == "EHWPOISON")
    for code: Int32 in [.min, -1, 0, 41, 58, 134, 4095, .max] {
      #expect(SystemError.name(of: code).description == "EUNKNOWN")
    }
  }

  @Test func `a system error tells the call, the text and the name`() {
    let error = SystemError(-ECONNREFUSED, in: "connect")
    #expect(error.code == ECONNREFUSED)
    #expect(error.description == "connect: connection refused (ECONNREFUSED)")
    #expect(error == SystemError(ECONNREFUSED, in: "send"))
  }

  @Test func `a path has no NUL and at most 4095 bytes`() {
    #expect(CPath("/tmp/a")?.description == "/tmp/a")
    #expect(CPath("")?.bytes == [])
    #expect(CPath("a\0b") == nil)
    #expect(CPath(String(repeating: "a", count: 4095))?.bytes.count == 4095)
    #expect(CPath(String(repeating: "a", count: 4096)) == nil)
    let bytes: [UInt8] = [0xFF, 0x2F, 0x80]
    let path = unsafe bytes.withUnsafeBytes { unsafe CPath(bytes: $0) }
    #expect(path?.bytes == bytes)
    #expect(unsafe path?.withCString { unsafe strlen($0) } == 3)
  }

  @Test(
    arguments: [
      (0x001, Ready.readable), (0x004, .writable), (0x002, .priority),
      (0x2000, .readClosed), (0x2001, [.readable, .readClosed]),
      (0x010, [.readClosed, .writeClosed]),
      (0x2015, [.readable, .writable, .readClosed, .writeClosed]),
      (0x008, [.error, .writeClosed]), (0x00C, [.error, .writable]),
      (0x009, [.error, .readable]), (0x00A, [.error, .priority]),
      (0x201D, [.readable, .writable, .readClosed, .writeClosed, .error]), (0, []),
    ] as [(UInt32, Ready)])
  func `events of epoll become readiness`(events: UInt32, ready: Ready) {
    #expect(Ready(epollEvents: events) == ready)
    #expect(ReadyTable()[events] == ready)
  }

  @Test func `the table of readiness agrees with the function everywhere`() {
    let table = ReadyTable()
    for low: UInt32 in 0..<32 {
      for high: UInt32 in [0, 0x2000] {
        #expect(table[low | high] == Ready(epollEvents: low | high))
      }
    }
  }

  @Test func `a batch takes as many events as it has room for`() {
    let batch = EventBatch(capacity: 2)
    for token: UInt64 in 0..<3 {
      #expect(batch.append(KernelEvent(token: token, ready: .readable)) == (token < 2))
    }
    #expect(batch.count == 2 && batch[1].token == 1)
    batch.removeAll()
    #expect(batch.count == 0)
    #expect(EventBatch(capacity: 0).capacity == 1)
    #expect(EventBatch(capacity: .max).capacity == 65_536)
  }
}
