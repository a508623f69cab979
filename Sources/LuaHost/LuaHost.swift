import CLua
import Glibc
import Reactor

/// Runs Lua scripts as tasks on a reactor: one Lua state, one driver, one thread.
///
/// ```swift
/// let host = try LuaHost(kernel: LinuxKernel())
/// try host.define("greet") { arguments in [.text("hello, \(arguments[0].text ?? "you")")] }
/// let answer = try host.run("return require('app').greet('Ada')")
/// ```
///
/// The host never owns the loop: `turn()` does one round, and `run()` repeats it until no task is
/// left.
@safe
public final class LuaHost {
  public let driver: Driver
  let raw: OpaquePointer
  let scheduler: Scheduler
  @safe @exclusivity(unchecked) var arena = Arena()
  @safe @exclusivity(unchecked) private var heldSerial: UInt32 = 0
  let core: HostCorePointer
  let output = OutputBuffer(fd: 1, isStandard: true)
  let errors = OutputBuffer(fd: 2, isStandard: true, mode: .unbuffered)
  @safe @exclusivity(unchecked) var closures: [Closure] = []
  @safe @exclusivity(unchecked) var watched: WatchedTask?
  /// Set while `reactor.test` runs tests.
  @safe @exclusivity(unchecked) var testWatch: TestWatch?
  /// Stands before each report on standard error, as the name of the program does in a shell.
  @safe @exclusivity(unchecked) public var reportPrefix = ""
  /// How many texts there were for the person who runs the script: errors and warnings.
  @safe @exclusivity(unchecked) public private(set) var reportCount = 0
  /// Takes texts for the person who runs the script: errors and warnings. nil: standard error.
  @safe @exclusivity(unchecked) public var onReport: ((String) -> Void)?

  /// Where `require` looks first: folders, or templates such as "lib/?.lua". Set it before the
  /// first `load`. Behind them come LUA_PATH and the places of the system.
  @safe @exclusivity(unchecked) public var searchPaths: [String] = [] {
    didSet { isSearchPathSet = false }
  }
  @safe @exclusivity(unchecked) private var isSearchPathSet = true

  /// How much memory the scripts of a host may use, in bytes. nil: no limit.
  public struct Limits: Sendable {
    /// Above it, the collector works harder.
    public var softBytes: Int?
    /// Above it, an allocation fails and the script gets "not enough memory".
    public var hardBytes: Int?

    public init(softBytes: Int? = nil, hardBytes: Int? = nil) {
      self.softBytes = softBytes
      self.hardBytes = hardBytes
    }
  }

  /// Opens a Lua state with the standard libraries and the `reactor` modules.
  ///
  /// - Parameter readsEnvironment: whether `LUA_PATH` and `LUA_CPATH` say where modules are.
  /// - Throws: `LuaError.outOfMemory`.
  public convenience init(
    kernel: Kernel, limits: Limits = Limits(), readsEnvironment: Bool = true
  ) throws(LuaError) {
    try self.init(kernel: kernel, limits: limits, readsEnvironment: readsEnvironment, pin: nil)
  }

  /// Opens a host whose scripts see nothing that differs from run to run, if its kernel does so.
  ///
  /// - Throws: also `LuaError.unpinned`, with the reason.
  package convenience init(
    kernel: Kernel, limits: Limits = Limits(), pin: Pin
  ) throws(LuaError) {
    try self.init(kernel: kernel, limits: limits, readsEnvironment: false, pin: pin)
  }

  private init(
    kernel: Kernel, limits: Limits, readsEnvironment: Bool, pin: Pin?
  ) throws(LuaError) {
    try pin?.check()
    driver = Driver(kernel: kernel)
    unsafe core = .allocate(capacity: 1)
    var options = lr_options()
    options.soft_limit = limits.softBytes.map { max($0, 0) } ?? 0
    options.hard_limit = limits.hardBytes.map { max($0, 0) } ?? 0
    options.no_environment = readsEnvironment ? 0 : 1
    if let pin {
      options.pinned = 1
      options.place = UInt32(clamping: pin.place)
      options.hash_seed = pin.seed
    }
    guard let raw = unsafe lr_host_open(&options) else {
      unsafe core.deallocate()
      throw .outOfMemory
    }
    unsafe self.raw = unsafe raw
    scheduler = unsafe Scheduler(raw: raw, driver: driver, core: core)
    unsafe core.initialize(
      to: HostCore(
        host: .passUnretained(self), fastPath: driver.fastPath, call: lr_call_record(raw),
        scratch: .allocate(byteCount: Self.scratchBytes, alignment: 16)))
    let scratch = unsafe UnsafePointer(core.pointee.scratch.assumingMemoryBound(to: CChar.self))
    unsafe lr_set_context(
      raw, core, scratch, withUnsafeMutablePointer(to: &core.pointee.commit) { unsafe $0 })
    unsafe lr_set_warn(raw, Self.tellWarning, Unmanaged.passUnretained(self).toOpaque())
    try openModules()
  }

  deinit {
    unsafe lr_host_close(raw)
    output.flushAll(kernel)  // what finalizers printed
    closeHandles()
    driver.lingerOut(Self.lingerPatience)
    unsafe core.pointee.objects.deallocate()
    unsafe core.pointee.scratch.deallocate()
    unsafe core.deinitialize(count: 1)
    unsafe core.deallocate()
    arena.clear()
  }

  /// How long the end of a host waits for peers of connections whose input was not read.
  private static let lingerPatience: UInt64 = 1_000_000_000

  /// The longest read or datagram that one call answers, in bytes.
  static let scratchBytes = 65_536

  var scratch: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(start: core.pointee.scratch, count: Self.scratchBytes)
  }

  var objects: ObjectTable {
    get { unsafe core.pointee.objects }
    _modify { yield unsafe &core.pointee.objects }
  }

  public var kernel: Kernel { driver.kernel }

  /// Bytes that the Lua state uses now.
  public var bytes: Int { unsafe lr_bytes(raw) }

  /// Tasks that have not ended.
  public var liveTaskCount: Int { unsafe lr_task_live(raw) }

  // MARK: Running

  func setSearchPath() throws(LuaError) {
    if isSearchPathSet { return }
    var templates = ""  // `joined` costs 160,000 instructions at its first use
    for path in searchPaths {
      if !templates.isEmpty { templates += ";" }
      templates += path.contains("?") ? path : "\(path)/?.lua;\(path)/?/init.lua"
    }
    let result = unsafe templates.withCString {
      unsafe lr_set_search_path(raw, $0)
    }
    if result != 0 { throw lastError(LuaError.definition) }
    isSearchPathSet = true
  }

  /// One round: resumes tasks that are ready (a bounded number), polls the kernel once, and
  /// frees what scripts dropped.
  ///
  /// - Parameter deadline: how long the poll may wait at most, in monotonic nanoseconds; nil waits
  ///   for the next event or timer. It does not wait while tasks are ready.
  /// - Returns: whether tasks are left.
  @discardableResult
  public func turn(until deadline: UInt64? = nil) throws(SystemError) -> Bool {
    try turn(until: deadline, endsWhenStuck: false)
  }

  private func turn(until deadline: UInt64?, endsWhenStuck: Bool) throws(SystemError) -> Bool {
    scheduler.drain()
    if scheduler.isExiting {
      shutdown()
      return false
    }
    let isWritten = output.flush(kernel) && errors.flush(kernel)
    guard liveTaskCount > 0 else { return false }
    if endsWhenStuck, scheduler.isStuck {
      // Before the poll, which would never return.
      scheduler.reportStuck()
      return false
    }
    let limit = isWritten ? deadline : min(deadline ?? .max, soon)
    try driver.turn(until: scheduler.hasSpent ? 0 : limit)
    scheduler.queueSpent()
    collectDrops()
    unsafe lr_pace_collector(raw)
    return true
  }

  /// Runs until no task is left, or none that anything could wake, and returns how that went.
  public func run() throws(SystemError) -> ExitStatus {
    while try turn(until: nil, endsWhenStuck: true) {}
    flushAll()
    return scheduler.exitStatus
  }

  /// When to look again whether those who read our output have caught up.
  private var soon: UInt64 { kernel.monotonic() + 2_000_000 }

  /// Writes out all that scripts have written, to files and to standard streams.
  private func flushAll() {
    objects.forEach(.file, as: File.self) { $0.output?.flushAll(kernel) }
    output.flushAll(kernel)
    errors.flushAll(kernel)
  }

  /// Ends everything: tasks are cancelled, waits end with "closed", handles are closed, and what
  /// was written goes out.
  public func shutdown() {
    scheduler.cancelAll()
    scheduler.drainAll()
    driver.shutdown()
    scheduler.drainAll()
    closeHandles()
    flushAll()
  }

  // MARK: Inside

  /// Monotonic nanoseconds that lie `seconds` ahead: 0 for "try once".
  func deadline(after seconds: Double) -> UInt64 {
    guard seconds > 0 else { return 0 }
    // 2^53 s are 285 million years: farther than the clock's 64 bits of nanoseconds.
    guard seconds < 9.0e9 else { return .max - 1 }
    return kernel.monotonic() &+ UInt64((seconds * 1e9).rounded(.up))
  }

  /// Keeps what call number `serial` answers; what older calls answered is freed.
  func hold(_ text: String, for serial: UInt32) -> UnsafeRawBufferPointer {
    release(before: serial)
    return unsafe arena.text(text)
  }

  func hold(_ value: Value, for serial: UInt32) -> lr_value {
    release(before: serial)
    return unsafe arena.value(value)
  }

  /// Keeps a copy of bytes that call number `serial` answers.
  func hold(
    _ bytes: UnsafeRawBufferPointer, for serial: UInt32
  ) -> UnsafeRawBufferPointer {
    release(before: serial)
    return unsafe arena.bytes(bytes)
  }

  private func release(before serial: UInt32) {
    // A finalizer can run while the results of another call are on their way.
    if serial != heldSerial, unsafe lr_in_finalizer(raw) == 0 { arena.clear() }
    heldSerial = serial
  }

  func classID(_ kind: HandleClass) -> UInt32 { kind.rawValue }

  func lastError(_ make: (String) -> LuaError) -> LuaError {
    let text = unsafe String(lr_error(raw))
    return text == "not enough memory" ? .outOfMemory : make(text)
  }

  /// Frees what was behind handles that the collector took.
  func collectDrops() {
    unsafe core.settleDescriptors()
    var drop = lr_drop()
    while unsafe lr_take_drop(raw, &drop) != 0 {
      guard let removed = objects.remove((drop.slot, drop.generation)) else { continue }
      switch removed {
      case .stream(let stream):
        warnUnclosed(unsafe "connection (fd \(stream.pointee.fd))", unsafe stream.pointee.site)
        unsafe driver.close(stream)
      case .object(let object):
        if object.isOpen { warnUnclosed(object.describe(), object.site) }
        object.close()
      }
    }
  }

  private func warnUnclosed(_ what: String, _ site: UInt32) {
    report("warning: \(what) was collected unclosed; it was made at \(siteText(site))")
  }

  /// Closes what a handle names. False when that was done before.
  func close(_ handle: ObjectTable.Handle) -> Bool {
    switch objects.remove(handle) {
    case .stream(let stream): unsafe driver.close(stream)
    case .object(let object): object.close()
    case nil: return false
    }
    return true
  }

  private func closeHandles() {
    unsafe core.settleDescriptors()
    while let handle = objects.first() { _ = close(handle) }
  }

  func siteText(_ site: UInt32) -> String { unsafe String(lr_site_text(raw, site)) }

  func report(_ text: String) {
    if testWatch != nil { return testWatch?.reports.append(text) ?? () }
    reportCount += 1
    if let onReport { onReport(text) } else { reportOnStandardError(text) }
  }

  /// Writes to standard error, after everything that was printed before.
  func writeStandardError(_ bytes: UnsafeRawBufferPointer) {
    output.flush(kernel)
    unsafe errors.append(bytes, kernel)
  }

  private func reportOnStandardError(_ text: String) {
    var line = reportPrefix + text + "\n"
    line.withUTF8 { unsafe writeStandardError(UnsafeRawBufferPointer($0)) }
  }
}

extension String {
  init(_ text: lr_text) {
    let bytes = unsafe UnsafeRawBufferPointer(start: text.bytes, count: text.length)
    self = unsafe String(decoding: bytes, as: UTF8.self)
  }
}
