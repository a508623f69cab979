import CLua
import Glibc
import Reactor

/// The parts of `os` that are ours: over `Kernel`, and without blocking more than the disk does.
enum OSModule {
  static let functions: [Function] = unsafe [
    Function("exit", "v", exit),
    Function("getenv", "s", environment),
    Function("remove", "s", remove),
    Function("rename", "ss", rename),
    Function("temporary_name", "", temporaryName),
    Function("wall_time", "", wallTime),
    Function("processor_time", "", processorTime),
    Function("seed", "", seed),
  ]

  /// exit([code]): ends the program. Never returns to the script, whatever it catches.
  static let exit: Leaf = { raw in
    let call = unsafe Call(raw)
    let scheduler = call.host.scheduler
    if call.reason == .first {
      switch call.plain(0) {
      case .nil, .boolean(true): scheduler.requestExit(0)
      case .boolean(false): scheduler.requestExit(1)
      case .integer(let code): scheduler.requestExit(Int32(truncatingIfNeeded: code))
      case .number(let code) where Int32(exactly: code) != nil: scheduler.requestExit(Int32(code))
      default: return call.badArgument(0, "number or boolean expected")
      }
    }
    guard let waiter = unsafe call.waiter, unsafe lr_can_wait(raw) != 0 else {
      unsafe call.task?.pointee.flags |= UInt32(LR_TASK_CANCELLED)
      return Int32(LR_STOP)
    }
    // The caller stays here: whoever wakes it finds that it goes on waiting.
    unsafe call.host.driver.waits.park(waiter, deadline: .max)
    return call.parked
  }

  /// getenv(name) -> value
  static let environment: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let value = call.host.kernel.environment(call.text(0)) else {
      call.push()
      return call.done
    }
    return call.answer(value)
  }

  // MARK: Files

  /// remove(name): a file, or an empty directory
  static let remove: Leaf = { raw in
    let call = unsafe Call(raw)
    let kernel = call.host.kernel
    guard let path = unsafe CPath(bytes: call.bytes(0)) else {
      return call.failNumbered(ENOENT, call.text(0))
    }
    var result = kernel.unlink(path)
    if result == -EISDIR || result == -EPERM { result = kernel.removeDirectory(path) }
    return result < 0 ? call.failNumbered(-result, call.text(0)) : call.answer(true)
  }

  static let rename: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let from = unsafe CPath(bytes: call.bytes(0)), let to = unsafe CPath(bytes: call.bytes(1))
    else { return call.failNumbered(ENOENT) }
    let result = call.host.kernel.rename(from, to)
    return result < 0 ? call.failNumbered(-result) : call.answer(true)
  }

  /// temporary_name() -> the name of a new, empty file
  static let temporaryName: Leaf = { raw in
    let call = unsafe Call(raw)
    switch call.host.makeTemporaryFile() {
    case .failure: return call.raise("unable to generate a unique filename")
    case .success((let path, let fd)):
      _ = call.host.kernel.close(fd)
      return call.answer(path.description)
    }
  }

  // MARK: Clocks and entropy

  /// wall_time() -> whole seconds since 1970-01-01 UTC
  static let wallTime: Leaf = { raw in
    let call = unsafe Call(raw)
    return call.answer(Int(call.host.kernel.wall() / 1_000_000_000))
  }

  static let processorTime: Leaf = { raw in
    let call = unsafe Call(raw)
    call.push(Double(call.host.kernel.processorTime()) / 1e9)
    return call.done
  }

  /// seed() -> two random integers
  static let seed: Leaf = { raw in
    let call = unsafe Call(raw)
    var seed: (Int64, Int64) = (0, 0)
    unsafe withUnsafeMutableBytes(of: &seed) { unsafe call.host.kernel.entropy($0) }
    call.push(Int(seed.0))
    return call.answer(Int(seed.1))
  }
}

extension LuaHost {
  /// Makes a file that did not exist, open for reading and writing.
  func makeTemporaryFile() -> Result<(CPath, Int32), SystemError> {
    for _ in 0..<100 {
      var number: UInt64 = 0
      unsafe withUnsafeMutableBytes(of: &number) { unsafe kernel.entropy($0) }
      guard let path = CPath("/tmp/lua_" + String(number, radix: 36)) else { continue }
      let fd = kernel.open(path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
      if fd >= 0 { return .success((path, fd)) }
      if fd != -EEXIST { return .failure(SystemError(fd, in: "open")) }
    }
    return .failure(SystemError(EEXIST, in: "open"))
  }
}
