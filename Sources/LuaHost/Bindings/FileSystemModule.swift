import CLua
import Glibc
import Reactor

/// `reactor.fs` below its Lua part: jobs that are begun here and finished by a wait, so that no
/// task is held up by a disk.
enum FileSystemModule {
  /// The most bytes of one read, so that a script's number does not decide what is allocated.
  static let readLimit: Int64 = 1 << 24

  /// Far beyond every file system, and far from where additions overflow.
  private static let offsets: ClosedRange<Int64> = 0...(1 << 62)
  private static let badOffset = "0 to 2^62 bytes expected"

  static let functions: [Function] = unsafe [
    Function("open_start", "sii", openStart),
    Function("path_start", "sss?i?", pathStart),
    Function("finish", "h", waits: true, method: .job, finish),
    Function("close", "h", method: .job, ConnectionModule.close),
    Function("__close", "h", method: .job, ConnectionModule.close),
    Function("read_start", "hii?", method: .diskFile, readStart),
    Function("write_start", "hsi?", method: .diskFile, writeStart),
    Function("sync_start", "h", method: .diskFile, syncStart),
    Function("truncate_start", "hi", method: .diskFile, truncateStart),
    Function("size_start", "h", method: .diskFile, sizeStart),
    Function("position", "hi?", method: .diskFile, position),
    Function("fd", "h", method: .diskFile, fd),
    Function("close", "h", method: .diskFile, ConnectionModule.close),
    Function("__close", "h", method: .diskFile, ConnectionModule.close),
  ]

  static let describe: Leaf = { raw in
    let call = unsafe Call(raw)
    return call.answer(call.diskFile?.describe() ?? "file (closed)")
  }

  /// open_start(path, flags, mode) -> job
  static let openStart: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let path = unsafe CPath(bytes: call.bytes(0)) else { return call.failPath() }
    let flags = Int32(truncatingIfNeeded: call.integer(1))
    let mode = UInt32(truncatingIfNeeded: call.integer(2))
    return call.begin(.open(path, flags: flags, mode: mode), opens: "\(path)")
  }

  /// path_start(verb, path [, other [, mode]]) -> job
  static let pathStart: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let path = unsafe CPath(bytes: call.bytes(1)) else { return call.failPath() }
    switch call.text(0) {
    case "stat": return call.begin(.status(path))
    case "list": return call.begin(.list(path))
    case "remove": return call.begin(.unlink(path))
    case "rmdir": return call.begin(.removeDirectory(path))
    case "sync": return call.begin(.synchronizePath(path))
    case "mkdir":
      let mode = UInt32(truncatingIfNeeded: call.integer(3, or: 0o777))
      return call.begin(.makeDirectory(path, mode: mode))
    case "rename":
      guard !call.isNil(2), let other = unsafe CPath(bytes: call.bytes(2)) else {
        return call.failPath()
      }
      return call.begin(.rename(path, other))
    case let verb: return call.badArgument(0, "unknown verb '\(verb)'")
    }
  }

  /// file:read_start(n [, offset]) -> job
  static let readStart: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.diskFile else { return call.fail("closed") }
    guard (0...readLimit).contains(call.integer(1)) else {
      return call.badArgument(1, "0 to \(readLimit) bytes expected")
    }
    let offset = call.integer(2, or: file.position)
    guard offsets.contains(offset) else { return call.badArgument(2, badOffset) }
    let count = call.integer(1)
    let span = call.isNil(2) ? file.take(count, isRead: true) : nil
    return call.begin(.read(file.fd, count: Int(count), at: offset), span: span)
  }

  /// file:write_start(bytes [, offset]) -> job
  static let writeStart: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.diskFile else { return call.fail("closed") }
    let offset = call.integer(2, or: file.position)
    guard offsets.contains(offset) else { return call.badArgument(2, badOffset) }
    let bytes = unsafe Array(call.bytes(1))
    let span = call.isNil(2) ? file.take(Int64(bytes.count), isRead: false) : nil
    return call.begin(.write(file.fd, bytes, at: offset), span: span)
  }

  static let syncStart: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.diskFile else { return call.fail("closed") }
    return call.begin(.synchronize(file.fd))
  }

  static let truncateStart: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.diskFile else { return call.fail("closed") }
    guard offsets.contains(call.integer(1)) else { return call.badArgument(1, badOffset) }
    return call.begin(.truncate(file.fd, length: call.integer(1)))
  }

  static let sizeStart: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.diskFile else { return call.fail("closed") }
    return call.begin(.size(file.fd))
  }

  /// file:position([offset]) -> the offset of the next read or write that names none
  static let position: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.diskFile else { return call.fail("closed") }
    if !call.isNil(1) {
      guard offsets.contains(call.integer(1)) else { return call.badArgument(1, badOffset) }
      file.position = call.integer(1)
    }
    return call.answer(Int(file.position))
  }

  static let fd: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let file = call.diskFile else { return call.fail("closed") }
    return call.answer(Int(file.fd))
  }

  /// job:finish() -> its answer
  static let finish: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    guard let job = host.objects.find(call.handle(), .job, as: DiskJob.self) else {
      return call.fail("closed")
    }
    var answer: FileAnswer?
    let caller = unsafe Caller(waiter: call.waiter, reason: call.reason, deadline: .max)
    let attempt = job.registration.attempt(.read, wanted: 0, caller) { _ in
      answer = host.kernel.takeAnswer(token: job.registration.token)
      return answer == nil ? -Int(EAGAIN) : 0
    }
    switch attempt {
    case .parked: return call.parked
    case .failed(let code): return call.fail(code: code)
    case .ended(let reason): return call.end(reason)
    case .done: return answer.map { call.answer($0, of: job) } ?? call.fail("closed")
    }
  }
}

/// A job under way, and what its answer becomes.
final class DiskJob: HandleObject {
  let registration: Registration
  let site: UInt32
  /// The path of a file that it opens.
  let opens: String?
  /// The part of a file that it took from its position on.
  let span: DiskFile.Span?

  init(_ registration: Registration, site: UInt32, opens: String?, span: DiskFile.Span?) {
    self.registration = registration
    self.site = site
    self.opens = opens
    self.span = span
  }

  // Dropping one is no mistake of the script: only the library makes them.
  var isOpen: Bool { false }
  func describe() -> String { "file job" }

  /// Ends the job, of whose span so many bytes were read or written.
  func use(_ count: Int64) {
    registration.deregister()
    span.map { $0.file.give(back: $0, used: count) }
  }

  func close() {
    guard registration.isLive else { return }
    registration.driver.kernel.forget(token: registration.token)
    registration.deregister()
    // What was read for nobody is there to be read again.
    if let span, span.isRead { span.file.give(back: span, used: 0) }
  }
}

/// An open file of `reactor.fs`.
final class DiskFile: HandleObject {
  let kernel: Kernel
  let fd: Int32
  let path: String
  let site: UInt32
  var position: Int64 = 0
  private(set) var isOpen = true

  init(_ kernel: Kernel, fd: Int32, path: String, site: UInt32) {
    self.kernel = kernel
    self.fd = fd
    self.path = path
    self.site = site
  }

  /// A part of a file that was taken from its position on, so that the next one who names no
  /// offset gets the bytes behind it.
  struct Span {
    let file: DiskFile
    let start: Int64
    let count: Int64
    let isRead: Bool
  }

  func take(_ count: Int64, isRead: Bool) -> Span {
    defer { position += count }
    return Span(file: self, start: position, count: count, isRead: isRead)
  }

  /// Gives back what of a span was not used, unless somebody has gone on behind it.
  func give(back span: Span, used: Int64) {
    if position == span.start + span.count { position = span.start + used }
  }

  func describe() -> String { isOpen ? "file \(path) (fd \(fd), open)" : "file \(path) (closed)" }

  func close() {
    guard isOpen else { return }
    isOpen = false
    kernel.begin(.close(fd))
  }
}

extension Call {
  /// The file of `reactor.fs` behind argument 0; nil when it was closed.
  var diskFile: DiskFile? { host.objects.find(handle(), .diskFile, as: DiskFile.self) }

  fileprivate func failPath() -> Int32 { fail(code: ENAMETOOLONG) }

  fileprivate func begin(
    _ work: FileJob, opens: String? = nil, span: DiskFile.Span? = nil
  ) -> Int32 {
    let registration: Registration
    do throws(SystemError) {
      registration = try host.driver.registerCompletion()
    } catch {
      return fail(code: error.code)
    }
    let result = host.kernel.begin(work, token: registration.token)
    if result < 0 {
      registration.deregister()
      return fail(code: -result)
    }
    let job = DiskJob(registration, site: site, opens: opens, span: span)
    let (slot, generation) = host.objects.insert(job, .job)
    push(handle: slot, generation, of: .job)
    return done
  }

  fileprivate func answer(_ answer: FileAnswer, of job: DiskJob) -> Int32 {
    switch answer {
    case .failed(let code):
      job.use(0)
      return fail(code: code)
    case .count(let fd) where job.opens != nil:
      let file = DiskFile(
        host.kernel, fd: Int32(truncatingIfNeeded: fd), path: job.opens ?? "", site: job.site)
      let (slot, generation) = host.objects.insert(file, .diskFile)
      push(handle: slot, generation, of: .diskFile)
      return done
    case .count(let count):
      job.use(count)
      return self.answer(Int(count))
    case .bytes(let bytes):
      job.use(Int64(bytes.count))
      unsafe bytes.withUnsafeBytes { unsafe push(held: $0) }
      return done
    case .names(let names):
      push(.list(names.map { .text($0) }))
      return done
    case .status(let status):
      push(.table(status.pairs))
      return done
    }
  }
}

extension FileStatus {
  fileprivate var pairs: [(key: Value, value: Value)] {
    [
      (.text("type"), .text("\(kind.word)")),
      (.text("size"), .integer(size)),
      (.text("modified"), .number(Double(modified) / 1e9)),
      (.text("permissions"), .integer(Int64(permissions))),
      (.text("inode"), .integer(Int64(truncatingIfNeeded: inode))),
      (.text("links"), .integer(Int64(truncatingIfNeeded: links))),
    ]
  }
}
