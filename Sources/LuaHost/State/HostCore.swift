import CLua
import Reactor

/// What the hottest leaves need of a host: a plain record at a fixed place, so that a read or a
/// write retains nothing and checks no exclusive access. Everything else goes through `LuaHost`.
@safe
struct HostCore {
  let host: Unmanaged<LuaHost>
  let fastPath: UnsafeMutablePointer<FastPath>
  var objects = ObjectTable()
  /// The one record that calls are described in.
  let call: UnsafeMutablePointer<lr_call>
  /// Bytes of a read on their way to the script; C copies them into a Lua string.
  let scratch: UnsafeMutableRawPointer
  /// Set to 1 by C when the results of the last read have reached the script.
  var commit: UInt32 = 1
  /// The read that `commit` speaks of.
  var pending = PendingRead()
  /// Descriptors that a call answered as numbers, and whether they have reached the script.
  var descriptors: [Int32] = []
  var descriptorsCommit: UInt32 = 1
}

/// Bytes that a read answered, until it is known that the script has them.
struct PendingRead {
  var handle: ObjectTable.Handle = (0, 0)
  /// Bytes in the host's scratch memory that the stream does not have any more.
  var scratch = 0
  /// Bytes at the front of the stream's buffer that are to be taken out.
  var consume = 0
}

extension HostCore {
  /// Whether the last read has reached its script, and left nothing to be done.
  var isSettled: Bool { commit != 0 && pending.consume == 0 }
}

typealias HostCorePointer = UnsafeMutablePointer<HostCore>

extension UnsafeMutablePointer<HostCore> {
  /// Settles the last read before the next one: what did not reach the script (it had no memory
  /// for the string) goes back into the stream's buffer.
  @inline(__always)
  func settle() {
    if unsafe !pointee.isSettled { unsafe settlePending() }
  }

  @inline(never)
  private func settlePending() {
    let read = unsafe pointee.pending
    // A finalizer that runs while the string is being made finds it made.
    let committed = unsafe pointee.commit != 0 || lr_in_finalizer(pointee.call.pointee.host) != 0
    unsafe pointee.pending = PendingRead()
    unsafe pointee.commit = 1
    guard let stream = unsafe pointee.objects.stream(read.handle) else {
      let file = unsafe pointee.objects.find(read.handle, .file, as: File.self)
      if committed { file?.consume(read.consume) }
      return
    }
    if committed {
      unsafe stream.pointee.buffer.consume(read.consume)
    } else if read.scratch > 0 {
      let bytes = unsafe UnsafeRawBufferPointer(start: pointee.scratch, count: read.scratch)
      unsafe stream.pointee.buffer.prepend(bytes)
    }
  }

  /// Notes bytes at the front of what a file has read: they are on their way to the script.
  func expectCommit(_ call: Call, fileBytes count: Int) {
    unsafe pointee.pending = PendingRead(handle: call.handle(), consume: count)
    unsafe pointee.commit = 0
    unsafe call.raw.pointee.commit = unsafe withUnsafeMutablePointer(to: &pointee.commit) {
      unsafe $0
    }
  }

  /// Notes descriptors that are on their way to the script as numbers.
  func expectCommit(_ call: Call, descriptors: [Int32]) {
    if unsafe descriptors.isEmpty || lr_in_finalizer(call.raw.pointee.host) != 0 { return }
    unsafe settleDescriptors()
    unsafe pointee.descriptors = descriptors
    unsafe pointee.descriptorsCommit = 0
    unsafe call.raw.pointee.commit = unsafe withUnsafeMutablePointer(
      to: &pointee.descriptorsCommit
    ) { unsafe $0 }
  }

  /// Closes descriptors that did not reach their script, which had no memory for what came with
  /// them.
  func settleDescriptors() {
    if unsafe pointee.descriptorsCommit != 0 { return }
    unsafe pointee.descriptorsCommit = 1
    let kernel = unsafe pointee.host.takeUnretainedValue().kernel
    for fd in unsafe pointee.descriptors { _ = kernel.close(fd) }
    unsafe pointee.descriptors = []
  }

  /// Notes a read whose bytes are on their way to the script.
  @inline(__always)
  func expectCommit(
    _ raw: UnsafeMutablePointer<lr_call>, _ stream: StreamPointer, scratch: Int, consume: Int
  ) {
    unsafe pointee.pending.handle = unsafe stream.pointee.handle
    unsafe pointee.pending.scratch = scratch
    unsafe pointee.pending.consume = consume
    unsafe pointee.commit = 0
    unsafe raw.pointee.commit = unsafe withUnsafeMutablePointer(to: &pointee.commit) { unsafe $0 }
  }
}
