/// The two verbs of every message as C functions, so that calling them counts no references and
/// looks nothing up. The first argument is the kernel.
@safe
package struct MessageVerbs {
  /// Receives as `Kernel.receive` does, without flags.
  package let receive:
    @convention(c) (UnsafeMutableRawPointer, Int32, UnsafeMutableRawPointer, Int) -> Int
  /// Sends as `Kernel.send` does, without flags.
  package let send: @convention(c) (UnsafeMutableRawPointer, Int32, UnsafeRawPointer, Int) -> Int

  /// The verbs of any kernel, by its methods.
  static var general: MessageVerbs {
    unsafe MessageVerbs(
      receive: { kernel, fd, room, count in
        unsafe Unmanaged<Kernel>.fromOpaque(kernel)._withUnsafeGuaranteedRef {
          unsafe $0.receive(fd, UnsafeMutableRawBufferPointer(start: room, count: count), flags: 0)
        }
      },
      send: { kernel, fd, bytes, count in
        unsafe Unmanaged<Kernel>.fromOpaque(kernel)._withUnsafeGuaranteedRef {
          unsafe $0.send(fd, UnsafeRawBufferPointer(start: bytes, count: count), flags: 0)
        }
      })
  }
}
