import CLua
import Reactor

/// One call from Lua as a leaf sees it: plain arguments, and room for plain results.
///
/// It is valid until the leaf returns. Bytes of arguments are borrowed from the script. Bytes of
/// results must stay where they are until the next call of a leaf; those of the second result and
/// later ones even longer, because a finalizer can call other leaves before they are copied:
/// texts that are pushed as `String` or `held` do.
@safe
public struct Call {
  let raw: UnsafeMutablePointer<lr_call>

  init(_ raw: UnsafeMutablePointer<lr_call>) { unsafe self.raw = unsafe raw }

  // MARK: Arguments (0 is the first)

  var count: Int { unsafe Int(raw.pointee.argument_count) }

  private func value(_ index: Int) -> UnsafeMutablePointer<lr_value> {
    unsafe raw.pointee.arguments + index
  }

  func kind(_ index: Int) -> Int32 {
    unsafe index < count ? Int32(value(index).pointee.kind) : Int32(LR_NIL)
  }

  func isNil(_ index: Int) -> Bool { kind(index) == LR_NIL }
  func integer(_ index: Int) -> Int64 { unsafe value(index).pointee.integer }
  func integer(_ index: Int, or other: Int64) -> Int64 {
    unsafe isNil(index) ? other : value(index).pointee.integer
  }
  func number(_ index: Int) -> Double { unsafe value(index).pointee.number }
  func isTrue(_ index: Int) -> Bool { kind(index) == LR_TRUE }

  func bytes(_ index: Int) -> UnsafeRawBufferPointer {
    let value = unsafe value(index)
    return unsafe UnsafeRawBufferPointer(start: value.pointee.bytes, count: value.pointee.length)
  }

  /// The text of an argument; bytes that are not UTF-8 are repaired.
  func text(_ index: Int) -> String { unsafe String(decoding: bytes(index), as: UTF8.self) }

  func handle(_ index: Int = 0) -> (slot: UInt32, generation: UInt32) {
    if index == 0 { return unsafe (raw.pointee.slot, raw.pointee.generation) }
    let handle = unsafe value(index).pointee.handle
    return (handle.slot, handle.generation)
  }

  func handleArgument(_ index: Int) -> (slot: UInt32, generation: UInt32) {
    let handle = unsafe value(index).pointee.handle
    return (handle.slot, handle.generation)
  }

  /// An argument of any plain kind as a value that outlives the call.
  func plain(_ index: Int) -> Value { unsafe index < count ? Value(value(index).pointee) : .nil }

  // MARK: The caller

  var host: LuaHost {
    unsafe raw.pointee.context.assumingMemoryBound(to: HostCore.self).pointee.host
      .takeUnretainedValue()
  }

  var task: UnsafeMutablePointer<lr_task>? { unsafe raw.pointee.task }

  var reason: WakeReason {
    unsafe WakeReason(rawValue: UInt8(truncatingIfNeeded: raw.pointee.reason)) ?? .first
  }

  var waiter: WaiterPointer? { unsafe raw.waiter }

  /// Who calls, and until when it may wait: the timeout in seconds is argument `index`.
  func caller(timeout index: Int) -> Caller {
    let reason = reason
    var deadline = UInt64.max
    if reason == .first, !isNil(index) { deadline = host.deadline(after: number(index)) }
    return unsafe Caller(waiter: waiter, reason: reason, deadline: deadline)
  }

  /// Takes operations from the budget of the task, besides the one that every call is.
  func spend(operations: Int) {
    guard let task = unsafe raw.pointee.task else { return }
    let left = unsafe Int(task.pointee.budget)
    unsafe task.pointee.budget = UInt16(truncatingIfNeeded: max(left - operations, 0))
  }

  /// The same, for bytes that were sent. What a call answers is counted without it.
  func spend(bytes: Int) { spend(operations: bytes / Int(LR_OPERATION_BYTES)) }

  /// The place in the script that called, as a number for `LuaHost.siteText`.
  var site: UInt32 { unsafe lr_site(raw) }

  // MARK: Results

  private func next() -> UnsafeMutablePointer<lr_value> {
    let index = unsafe min(Int(raw.pointee.result_count), Int(LR_MAX_RESULTS) - 1)
    unsafe raw.pointee.result_count = UInt32(index + 1)
    return unsafe raw.pointee.results + index
  }

  func push() { unsafe next().pointee.kind = UInt32(LR_NIL) }

  func push(_ integer: Int) {
    let value = unsafe next()
    unsafe value.pointee.kind = UInt32(LR_INTEGER)
    unsafe value.pointee.integer = Int64(integer)
  }

  func push(_ number: Double) {
    let value = unsafe next()
    unsafe value.pointee.kind = UInt32(LR_NUMBER)
    unsafe value.pointee.number = number
  }

  func push(_ flag: Bool) { unsafe next().pointee.kind = UInt32(flag ? LR_TRUE : LR_FALSE) }

  func push(_ bytes: UnsafeRawBufferPointer) {
    let value = unsafe next()
    unsafe value.pointee.kind = UInt32(LR_BYTES)
    unsafe value.pointee.bytes = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
    unsafe value.pointee.length = bytes.count
  }

  func push(_ text: StaticString) {
    unsafe push(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Pushes a text, which the host keeps until the next leaf runs.
  func push(_ text: String) { unsafe push(host.hold(text, for: raw.pointee.serial)) }

  /// Pushes a copy of some bytes.
  func push(held bytes: UnsafeRawBufferPointer) {
    unsafe push(host.hold(bytes, for: raw.pointee.serial))
  }

  func push(handle slot: UInt32, _ generation: UInt32, of kind: HandleClass) {
    unsafe next().pointee = unsafe lr_handle(host.classID(kind), slot, generation)
  }

  func push(_ value: Value) {
    unsafe next().pointee = unsafe host.hold(value, for: raw.pointee.serial)
  }

  // MARK: Outcomes

  var done: Int32 { Int32(LR_RETURN) }
  var parked: Int32 { Int32(LR_WAIT) }
  var cancelled: Int32 { Int32(LR_CANCEL) }

  func answer(_ integer: Int) -> Int32 {
    push(integer)
    return done
  }

  func answer(_ flag: Bool) -> Int32 {
    push(flag)
    return done
  }

  func answer(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    unsafe push(bytes)
    return done
  }

  func answer(_ text: String) -> Int32 {
    push(text)
    return done
  }

  /// Answers `nil, error`.
  func fail(_ error: StaticString) -> Int32 {
    push()
    push(error)
    return done
  }

  /// Answers `nil, error, detail`.
  func fail(_ error: StaticString, _ detail: StaticString) -> Int32 {
    push()
    push(error)
    push(detail)
    return done
  }

  func fail(_ error: String, _ detail: String? = nil) -> Int32 {
    push()
    push(error)
    if let detail { push(detail) }
    return done
  }

  /// Answers `nil, text, name` of an errno.
  func fail(code: Int32) -> Int32 {
    fail(SystemError.text(of: code), SystemError.name(of: code))
  }

  /// Answers for a wait that ended without a result.
  func end(_ reason: WakeReason) -> Int32 {
    switch reason {
    case .timeout: fail("timeout")
    case .cancelled: cancelled
    case .shutdown: fail("closed", "shutdown")
    default: fail("closed")
    }
  }

  /// Raises an error with the caller's position: misuse that no argument is to blame for.
  func raise(_ text: String) -> Int32 {
    unsafe raw.pointee.result_count = 0
    push(text)
    return Int32(LR_RAISE)
  }

  /// Raises an error that names argument `index` (0 is the first).
  func badArgument(_ index: Int, _ text: String) -> Int32 {
    unsafe raw.pointee.result_count = 0
    push(text)
    unsafe raw.pointee.bad_argument = UInt32(index + 1)
    return Int32(LR_ARGUMENT)
  }
}

extension UnsafeMutablePointer<lr_call> {
  /// The wait record of the task that calls. nil outside of tasks.
  var waiter: WaiterPointer? {
    unsafe pointee.task?.pointee.waiter.map { unsafe $0.assumingMemoryBound(to: Waiter.self) }
  }
}
