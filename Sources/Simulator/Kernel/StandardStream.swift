import Glibc
import Reactor

/// Standard input, which is empty, or an output stream, which the node's owner gets.
final class StandardStream: OpenFile {
  private let fd: Int32

  init(node: Node, fd: Int32) {
    self.fd = fd
    super.init(node: node)
  }

  override var kind: DescriptorKind { .characterDevice }
  override var events: PollEvents { fd == 0 ? .readable : .writable }

  override func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int { fd == 0 ? 0 : Int(-EBADF) }

  override func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard fd != 0 else { return Int(-EBADF) }
    unsafe node.world.log.add(
      .output, detail: UInt8(truncatingIfNeeded: fd), node: node.index, hash: Digest.of(bytes),
      length: UInt32(clamping: bytes.count), at: node.present)
    unsafe node.onOutput?(fd, bytes)
    return bytes.count
  }
}
