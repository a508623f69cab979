import Glibc
import Reactor
import Testing

@testable import Simulator

@Suite struct `The disk of a node` {
  private func makeNode() throws -> (World, Node) {
    let world = World(seed: 1)
    return (world, try #require(world.addNode("a")))
  }

  private func path(_ text: String) throws -> CPath { try #require(CPath(text)) }

  private func write(_ kernel: Kernel, _ fd: Int32, _ text: String) -> Int {
    var text = text
    return text.withUTF8 { unsafe kernel.write(fd, UnsafeRawBufferPointer($0)) }
  }

  private func create(_ kernel: Kernel, _ name: String) throws -> Int32 {
    let fd = kernel.open(try path(name), flags: O_RDWR | O_CREAT, mode: 0o644)
    try #require(fd >= 0)
    return fd
  }

  private func text(_ node: Node, _ path: String) -> String? {
    node.disk.content(of: path).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `a file outlives the process that wrote it`() throws {
    let (world, node) = try makeNode()
    defer { withExtendedLifetime(world) {} }
    let fd = try create(node.start(), "/a")
    let kernel = try #require(node.kernel)
    #expect(write(kernel, fd, "kept") == 4)
    node.kill()
    #expect(text(node, "/a") == "kept")
  }

  @Test func `without power only what was made safe is left`() throws {
    let (world, node) = try makeNode()
    defer { withExtendedLifetime(world) {} }
    let kernel = node.start()
    let safe = try create(kernel, "/safe")
    #expect(write(kernel, safe, "one ") == 4)
    #expect(kernel.synchronize(safe) == 0)
    #expect(node.disk.synchronize(try path("/")) == 0)
    #expect(write(kernel, safe, "two") == 3)
    let nameless = try create(kernel, "/nameless")
    #expect(write(kernel, nameless, "x") == 1)
    #expect(kernel.synchronize(nameless) == 0)
    node.disk.losePower()
    #expect(text(node, "/safe") == "one ")
    #expect(text(node, "/nameless") == nil)
  }

  @Test func `a rename is undone by a loss of power until its directory is safe`() throws {
    let (world, node) = try makeNode()
    defer { withExtendedLifetime(world) {} }
    let kernel = node.start()
    node.disk.install("/d/old", Array("old".utf8))
    node.disk.install("/d/new", Array("new".utf8))
    #expect(kernel.rename(try path("/d/new"), try path("/d/old")) == 0)
    #expect(text(node, "/d/old") == "new")
    node.disk.losePower()
    #expect(text(node, "/d/old") == "old" && text(node, "/d/new") == "new")
    #expect(kernel.rename(try path("/d/new"), try path("/d/old")) == 0)
    #expect(node.disk.synchronize(try path("/d")) == 0)
    node.disk.losePower()
    #expect(text(node, "/d/old") == "new" && text(node, "/d/new") == nil)
  }

  @Test func `a synchronize that fails makes nothing safe, and neither does the next`() throws {
    let (world, node) = try makeNode()
    defer { withExtendedLifetime(world) {} }
    let kernel = node.start()
    let fd = try create(kernel, "/a")
    #expect(node.disk.synchronize(try path("/")) == 0)
    #expect(write(kernel, fd, "lost") == 4)
    node.disk.failsSynchronize = true
    #expect(kernel.synchronize(fd) == -EIO)
    node.disk.failsSynchronize = false
    #expect(kernel.synchronize(fd) == 0)
    node.disk.losePower()
    #expect(text(node, "/a")?.isEmpty == true)
  }

  @Test func `a full disk takes what fits, and more when something was removed`() throws {
    let (world, node) = try makeNode()
    defer { withExtendedLifetime(world) {} }
    let kernel = node.start()
    node.disk.capacity = 6
    let fd = try create(kernel, "/a")
    #expect(write(kernel, fd, "12345678") == 6)
    #expect(write(kernel, fd, "9") == Int(-ENOSPC))
    #expect(kernel.seek(fd, offset: 0, whence: SEEK_SET) == 0)
    #expect(write(kernel, fd, "abc") == 3)
    let other = try create(kernel, "/b")
    #expect(write(kernel, other, "x") == Int(-ENOSPC))
    #expect(kernel.unlink(try path("/a")) == 0)
    #expect(write(kernel, other, "x") == 1)
  }

  @Test func `transfers can be short`() throws {
    let (world, node) = try makeNode()
    defer { withExtendedLifetime(world) {} }
    let kernel = node.start()
    node.disk.longestTransfer = 3
    let fd = try create(kernel, "/a")
    #expect(write(kernel, fd, "12345678") == 3)
    #expect(kernel.seek(fd, offset: 0, whence: SEEK_SET) == 0)
    var buffer = [UInt8](repeating: 0, count: 8)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe kernel.read(fd, $0) }
    #expect(count == 3)
  }

  @Test func `pages of unsafe content are left or lost when the disk tears`() throws {
    let (world, node) = try makeNode()
    defer { withExtendedLifetime(world) {} }
    let kernel = node.start()
    node.disk.tears = true
    let fd = try create(kernel, "/a")
    let size = 64 * PagedBytes.pageSize
    #expect(write(kernel, fd, String(repeating: "o", count: size)) == size)
    #expect(kernel.synchronize(fd) == 0)
    #expect(node.disk.synchronize(try path("/")) == 0)
    #expect(kernel.seek(fd, offset: 0, whence: SEEK_SET) == 0)
    #expect(write(kernel, fd, String(repeating: "n", count: size)) == size)
    node.disk.losePower()
    let content = try #require(node.disk.content(of: "/a"))
    let pages = stride(from: 0, to: size, by: PagedBytes.pageSize).map { content[$0] }
    #expect(Set(pages).count == 2 && content.count == size)
    for (index, byte) in pages.enumerated() {
      let page = content[index * PagedBytes.pageSize..<(index + 1) * PagedBytes.pageSize]
      #expect(page.allSatisfy { $0 == byte })
    }
  }

  @Test func `paths lead where they do on Linux`() throws {
    let (world, node) = try makeNode()
    defer { withExtendedLifetime(world) {} }
    let kernel = node.start()
    node.disk.install("/d/file", [1])
    var status = FileStatus()
    for (text, code) in [
      ("/d/file", 0), ("d/./file", 0), ("/d/../d//file", 0), ("/../d", 0), ("/d/", 0),
      ("/none", -ENOENT), ("/d/file/x", -ENOTDIR), ("/d/file/", -ENOTDIR), ("", -ENOENT),
    ] {
      #expect(kernel.status(try path(text), &status) == code, "\(text)")
    }
    #expect(kernel.makeDirectory(try path("/d"), mode: 0o755) == -EEXIST)
    #expect(kernel.removeDirectory(try path("/d")) == -ENOTEMPTY)
    #expect(kernel.rename(try path("/d"), try path("/d/inside")) == -EINVAL)
    #expect(kernel.unlink(try path("/d")) == -EISDIR)
    #expect(kernel.open(try path("/d"), flags: O_RDWR, mode: 0) == -EISDIR)
    #expect(kernel.open(try path("/d/file"), flags: O_CREAT | O_EXCL, mode: 0) == -EEXIST)
  }

  @Test func `holes read as zeros, and a cut leaves nothing behind`() throws {
    var bytes = PagedBytes([1, 2, 3])
    bytes.truncate(to: 1)
    bytes.truncate(to: 3)
    var buffer = [UInt8](repeating: 9, count: 4)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe bytes.read($0, at: 0) }
    #expect(count == 3 && buffer == [1, 0, 0, 9])
    let written = unsafe [UInt8(7)].withUnsafeBytes { unsafe bytes.write($0, at: 3 * 4096) }
    #expect(written == 1 && bytes.count == 3 * 4096 + 1)
  }
}
