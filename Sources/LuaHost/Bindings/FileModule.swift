import CLua
import Glibc
import Reactor

/// What `io` needs below its Lua part: files, their methods, and the standard streams.
enum FileModule {
  static let functions: [Function] = unsafe [
    Function("open", "ss?", open),
    Function("temporary_file", "", temporary),
    Function("standard_file", "i", standard),
    Function("file_type", "a", type),
    Function("is_readable", "s", isReadable),
    Function("read", "h*", texts: .separate, method: .file, read),
    Function("write", "hs", texts: .joined, method: .file, write),
    Function("seek", "hs?i?", method: .file, seek),
    Function("setvbuf", "hsi?", method: .file, setBuffer),
    Function("flush", "h", method: .file, flush),
    Function("close", "h", method: .file, close),
    Function("__close", "h", method: .file, closeIfOpen),
  ]

  static let describe: Leaf = { raw in
    let call = unsafe Call(raw)
    guard call.file != nil else { return call.answer("file (closed)") }
    // No address: it would differ from run to run.
    let handle = call.handle()
    let digits = String(UInt64(handle.generation) << 32 | UInt64(handle.slot), radix: 16)
    return call.answer("file (0x" + String(repeating: "0", count: 14 - digits.count) + digits + ")")
  }

  // MARK: Opening

  /// The flags of a mode such as "r+b". nil: it is none.
  private static func flags(_ mode: UnsafeRawBufferPointer) -> Int32? {
    var rest = unsafe mode[...]
    let first = unsafe rest.popFirst()
    let both = unsafe rest.first == UInt8(ascii: "+")
    if both { unsafe rest.removeFirst() }
    guard unsafe rest.allSatisfy({ $0 == UInt8(ascii: "b") }) else { return nil }
    switch first {
    case UInt8(ascii: "r"): return both ? O_RDWR : O_RDONLY
    case UInt8(ascii: "w"): return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC
    case UInt8(ascii: "a"): return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND
    default: return nil
    }
  }

  /// open(name [, mode]) -> file
  static let open: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let flags = unsafe call.isNil(1) ? O_RDONLY : flags(call.bytes(1)) else {
      return call.badArgument(1, "invalid mode")
    }
    let host = call.host
    host.collectDrops()  // a file that was dropped is complete before it is opened again
    guard let path = unsafe CPath(bytes: call.bytes(0)) else {
      let code = unsafe call.bytes(0).contains(0) ? ENOENT : ENAMETOOLONG
      return call.failNumbered(code, call.text(0))
    }
    let fd = host.kernel.open(path, flags: flags, mode: 0o666)
    if fd < 0 { return call.failNumbered(-fd, call.text(0)) }
    // As glibc: "a" begins at the end, "a+" is read from the start.
    if flags & (O_APPEND | O_WRONLY) == O_APPEND | O_WRONLY {
      _ = host.kernel.seek(fd, offset: 0, whence: SEEK_END)
    }
    let output = flags & O_ACCMODE == O_RDONLY ? nil : OutputBuffer(fd: fd)
    let file = File(
      fd, host.driver, canRead: flags & O_ACCMODE != O_WRONLY, output: output,
      site: host.testWatch == nil ? 0 : call.site)
    return call.answer(file)
  }

  /// temporary_file() -> a file without a name, open for reading and writing
  static let temporary: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    switch host.makeTemporaryFile() {
    case .failure(let error): return call.failNumbered(error.code)
    case .success((let path, let fd)):
      _ = host.kernel.unlink(path)
      return call.answer(File(fd, host.driver, canRead: true, output: OutputBuffer(fd: fd)))
    }
  }

  /// standard_file(descriptor) -> the file of one of the three standard streams
  static let standard: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    let fd = Int32(truncatingIfNeeded: call.integer(0))
    let output = fd == 0 ? nil : fd == 1 ? host.output : host.errors
    return call.answer(File(fd, host.driver, canRead: fd == 0, output: output, isStandard: true))
  }

  /// file_type(value) -> "file", "closed file", or nil when it is no file of ours
  static let type: Leaf = { raw in
    let call = unsafe Call(raw)
    guard call.isHandle(0, of: .file) else {
      call.push()
      return call.done
    }
    let isOpen = call.host.objects.find(call.handleArgument(0), .file, as: File.self) != nil
    return call.answer(isOpen ? "file" : "closed file")
  }

  /// is_readable(name) -> whether it can be opened for reading
  static let isReadable: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let path = unsafe CPath(bytes: call.bytes(0)) else { return call.answer(false) }
    let fd = call.host.kernel.open(path, flags: O_RDONLY, mode: 0)
    if fd >= 0 { _ = call.host.kernel.close(fd) }
    return call.answer(fd >= 0)
  }

  // MARK: Reading

  private static let isClosed = "attempt to use a closed file"

  /// file:read(…)
  static let read: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.file else { return call.raise(isClosed) }
    if file.waits, call.reason == .first, !call.takeChecked() { return call.check }
    unsafe call.host.core.settle()
    let failure = file.beginReading()
    if failure != 0 { return call.failNumbered(failure) }
    let caller = call.untimedCaller
    if let attempt = file.queue(caller) { return outcome(attempt, file, call) }
    guard caller.reason.isTry else { return call.end(caller.reason) }
    var ended = false
    var received = 0
    while true {
      switch unsafe match(call, file.unread, ended) {
      case .complete(let count):
        unsafe call.host.core.expectCommit(call, fileBytes: count)
        file.doneReading(caller)
        return call.done
      case .invalid(let index): return call.badArgument(index, "invalid format")
      case .more: call.removeResults()
      }
      if received >= ConnectionModule.turnBytes, let parked = file.takeBreath(caller) {
        return outcome(parked, file, call)
      }
      switch unsafe file.fill(caller, call.host.scratch) {
      case .done(0): ended = true
      case .done(let count): received += count
      case let other: return outcome(other, file, call)
      }
    }
  }

  private static func outcome(_ attempt: Attempt, _ file: File, _ call: Call) -> Int32 {
    switch attempt {
    case .done(let count): call.answer(count)
    case .parked: call.parked
    case .failed(EAGAIN) where file.waits: call.check
    case .failed(let code): call.failNumbered(code)
    case .ended(let reason): call.end(reason)
    }
  }

  private enum Matches { case complete(Int), invalid(Int), more }

  /// Answers what the formats find in `bytes`, when all of them find it there.
  private static func match(
    _ call: Call, _ bytes: UnsafeRawBufferPointer, _ ended: Bool
  ) -> Matches {
    var start = 0
    for index in 1..<max(call.count, 2) {
      guard let format = ReadFormat(call, index) else { return .invalid(index) }
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
      guard let match = unsafe format.match(rest, ended: ended) else { return .more }
      start += match.consumed
      guard let value = match.value else {
        call.push()  // the first that fails is the last that is tried
        break
      }
      let found = unsafe UnsafeRawBufferPointer(rebasing: rest[value])
      if case .number = format {
        unsafe call.push(numeral: found)
      } else {
        unsafe call.push(held: found)
      }
    }
    return .complete(start)
  }

  // MARK: Writing

  /// file:write(…): C has made one string of the arguments.
  static let write: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.file else { return call.raise(isClosed) }
    if call.reason == .first {
      unsafe call.host.core.settle()
      if file.output === call.host.errors { call.host.output.flush(call.host.kernel) }
      let failure = unsafe file.write(call.bytes(1))
      if failure != 0 { return call.failNumbered(failure) }
    }
    if let output = file.output, let answer = call.wait(until: !output.isFull, output) {
      return answer
    }
    return call.answerSame(0)
  }

  /// file:flush()
  static let flush: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.file else { return call.raise(isClosed) }
    guard let output = file.output else { return call.answer(true) }
    if let answer = call.wait(until: output.flush(call.host.kernel), output) { return answer }
    let failure = output.takeFailure()
    return failure == 0 ? call.answer(true) : call.failNumbered(failure)
  }

  /// file:setvbuf(mode [, size])
  static let setBuffer: Leaf = { raw in
    let call = unsafe Call(raw)
    let mode: OutputBuffer.Mode
    switch call.text(1) {
    case "no": mode = .unbuffered
    case "line": mode = .line
    case "full": mode = .full
    case let other: return call.badArgument(1, "invalid option '\(other)'")
    }
    guard let file = call.file else { return call.raise(isClosed) }
    file.output?.mode = mode
    if mode == .unbuffered { file.output?.flush(call.host.kernel) }
    return call.answer(true)
  }

  /// file:seek([whence [, offset]]) -> position
  static let seek: Leaf = { raw in
    let call = unsafe Call(raw)
    let whence: Int32
    switch call.isNil(1) ? "cur" : call.text(1) {
    case "set": whence = SEEK_SET
    case "cur": whence = SEEK_CUR
    case "end": whence = SEEK_END
    case let other: return call.badArgument(1, "invalid option '\(other)'")
    }
    guard let file = call.file else { return call.raise(isClosed) }
    unsafe call.host.core.settle()
    let position = file.seek(call.integer(2, or: 0), whence: whence)
    if position < 0 { return call.failNumbered(Int32(truncatingIfNeeded: -position)) }
    return call.answer(Int(position))
  }

  // MARK: Ending

  /// file:close()
  static let close: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.file else { return call.raise(isClosed) }
    if file.isStandard { return call.fail("cannot close standard file") }
    // Only a pipe or a terminal can refuse bytes for now, when its reader is slow.
    if let output = file.output,
      let answer = call.wait(until: output.flush(call.host.kernel), output)
    {
      return answer
    }
    _ = call.host.objects.remove(call.handle())
    let failure = file.finish()
    return failure == 0 ? call.answer(true) : call.failNumbered(failure)
  }

  /// The end of a `local file <close>`.
  static let closeIfOpen: Leaf = { raw in
    let call = unsafe Call(raw)
    if let file = call.file, !file.isStandard { _ = call.host.close(call.handle()) }
    return call.done
  }
}
