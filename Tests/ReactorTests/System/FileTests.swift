import Glibc
import Testing

@testable import Reactor

@Suite struct FileTests {
  @Test func `a file is written, read, measured, renamed and removed`() throws {
    let fixture = try Fixture()
    let kernel = fixture.kernel
    var random: UInt64 = 0
    unsafe withUnsafeMutableBytes(of: &random) { unsafe kernel.entropy($0) }
    let root = "/tmp/reactor-\(random)"
    func path(_ name: String) throws -> CPath { try #require(CPath(root + name)) }
    #expect(kernel.makeDirectory(try path(""), mode: 0o700) == 0)
    #expect(kernel.makeDirectory(try path(""), mode: 0o700) == -EEXIST)
    let fd = kernel.open(try path("/a"), flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    #expect(fd >= 0)
    #expect(fixture.write(fd, "hello") == 5)
    #expect(kernel.synchronize(fd) == 0)
    #expect(kernel.seek(fd, offset: 1, whence: SEEK_SET) == 1)
    #expect(fixture.read(fd).text == "ello")
    #expect(fixture.read(fd).count == 0)
    #expect(kernel.truncate(fd, length: 3) == 0)
    fixture.close(fd)
    var status = FileStatus()
    #expect(kernel.status(try path("/a"), &status) == 0)
    #expect(status.kind == .regularFile && status.size == 3 && status.permissions == 0o600)
    #expect(status.modified > 0 && status.links == 1)
    #expect(kernel.rename(try path("/a"), try path("/b")) == 0)
    #expect(kernel.status(try path("/a"), &status) == -ENOENT)
    var names: [String] = []
    #expect(kernel.list(try path(""), &names) == 0)
    #expect(names == ["b"])
    #expect(kernel.list(try path("/b"), &names) == -ENOTDIR)
    #expect(kernel.removeDirectory(try path("")) == -ENOTEMPTY)
    #expect(kernel.unlink(try path("/b")) == 0)
    #expect(kernel.removeDirectory(try path("")) == 0)
  }

  @Test func `the clocks run, and entropy differs`() throws {
    let kernel = try LinuxKernel()
    let (before, spent) = (kernel.monotonic(), kernel.processorTime())
    #expect(kernel.monotonic() >= before && kernel.processorTime() >= spent && spent > 0)
    #expect(kernel.wall() > 1_700_000_000_000_000_000)
    var bytes = [UInt8](repeating: 0, count: 1000)
    unsafe bytes.withUnsafeMutableBytes { unsafe kernel.entropy($0) }
    #expect(Set(bytes).count > 100)
    unsafe kernel.entropy(UnsafeMutableRawBufferPointer(start: nil, count: 0))
  }

  @Test func `the environment has a path and lacks what nobody set`() throws {
    let kernel = try LinuxKernel()
    #expect(kernel.environment("PATH") != nil)
    #expect(kernel.environment("REACTOR_NOBODY_SET_THIS") == nil)
  }
}
