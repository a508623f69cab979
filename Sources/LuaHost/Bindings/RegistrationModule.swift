import CLua
import Glibc
import Reactor

/// A registration that a script made on a descriptor of its own.
final class ScriptRegistration: HandleObject {
  let registration: Registration
  let site: UInt32

  init(_ registration: Registration, site: UInt32) {
    self.registration = registration
    self.site = site
  }

  // Collecting one leaks nothing: the descriptor belongs to the script.
  var isOpen: Bool { false }

  func describe() -> String {
    guard registration.isLive else { return "registration (ended)" }
    return "registration (fd \(registration.fd), interest \"\(registration.interest.letters)\")"
  }

  func close() { registration.deregister() }
}

/// `reactor.register` and the waits on what it returns. Events travel as four integers: bits,
/// generations, token; the Lua part makes objects of them, and attempts that call a function.
enum RegistrationModule {
  static let functions: [Function] = unsafe [
    Function("register", "is", register),
    Function("readiness", "hst?", waits: true, method: .registration, readiness),
    Function("readable", "ht?", waits: true, method: .registration, readable),
    Function("writable", "ht?", waits: true, method: .registration, writable),
    Function("read_io", "h", waits: true, method: .registration, readable),
    Function("write_io", "h", waits: true, method: .registration, writable),
    Function("poll_read_ready", "h", method: .registration, pollReadReady),
    Function("poll_write_ready", "h", method: .registration, pollWriteReady),
    Function("try_io", "hs", method: .registration, tryIO),
    Function("clear_readiness", "hiiii", method: .registration, clear),
    Function("deregister", "h", method: .registration, deregister),
    Function("__close", "h", method: .registration, deregister),
    Function("fd", "h", method: .registration, fd),
    Function("interest", "h", method: .registration, interest),
  ]

  static let describe: Leaf = { raw in
    let call = unsafe Call(raw)
    return call.answer(call.registration?.describe() ?? "registration (ended)")
  }

  /// register(fd, letters) -> registration
  static let register: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let fd = Int32(exactly: call.integer(0)), fd >= 0 else {
      return call.badArgument(0, "not a descriptor: \(call.integer(0))")
    }
    guard let interest = Interest(letters: call.text(1)) else {
      return call.badArgument(1, "interest must be letters of \"rwpce\", not \"\(call.text(1))\"")
    }
    let host = call.host
    do throws(SystemError) {
      let registration = try host.driver.register(fd, interest)
      let object = ScriptRegistration(registration, site: call.site)
      let (slot, generation) = host.objects.insert(object, .registration)
      call.push(handle: slot, generation, of: .registration)
      return call.done
    } catch {
      return call.fail(code: error.code)
    }
  }

  /// The interest that argument 1 asks for, when the registration covers it.
  private static func interest(_ call: Call, _ registration: Registration) -> Interest? {
    guard let asked = Interest(letters: call.text(1)) else { return nil }
    return registration.covers(asked) ? asked : nil
  }

  private static func badInterest(_ call: Call, _ registration: Registration) -> Int32 {
    guard Interest(letters: call.text(1)) != nil else {
      return call.badArgument(1, "interest must be letters of \"rwpce\", not \"\(call.text(1))\"")
    }
    return notCovered(call, registration, call.text(1))
  }

  private static func notCovered(
    _ call: Call, _ registration: Registration, _ asked: String
  ) -> Int32 {
    call.raise(
      "cannot wait for \"\(asked)\": fd \(registration.fd) was registered for "
        + "\"\(registration.interest.letters)\"")
  }

  private static func answer(_ call: Call, _ registration: Registration, _ ready: Ready) -> Int32 {
    let event = registration.event(ready)
    call.push(Int(ready.rawValue))
    call.push(Int(truncatingIfNeeded: event.readGeneration))
    call.push(Int(truncatingIfNeeded: event.writeGeneration))
    call.push(Int(truncatingIfNeeded: Int64(bitPattern: event.token)))
    return call.done
  }

  // MARK: Waiting

  private static func wait(
    _ call: Call, _ registration: Registration, _ interest: Interest, timeout: Int
  ) -> Int32 {
    switch registration.readiness(interest, call.caller(timeout: timeout)) {
    case .done(let bits):
      let ready = Ready(rawValue: UInt16(truncatingIfNeeded: bits))
      return answer(call, registration, ready)
    case .parked: return call.parked
    case .failed(let code): return call.fail(code: code)
    case .ended(let reason): return call.end(reason)
    }
  }

  /// registration:readiness(letters [, timeout]) -> bits, generations, token
  static let readiness: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let registration = call.registration?.registration else { return call.fail("closed") }
    guard let interest = interest(call, registration) else {
      return badInterest(call, registration)
    }
    return wait(call, registration, interest, timeout: 2)
  }

  /// registration:readable([timeout]), and the wait of registration:read_io(fn)
  static let readable: Leaf = { raw in unsafe wait(Call(raw), .read) }

  /// registration:writable([timeout]), and the wait of registration:write_io(fn)
  static let writable: Leaf = { raw in unsafe wait(Call(raw), .write) }

  private static func wait(_ call: Call, _ interest: Interest) -> Int32 {
    guard let registration = call.registration?.registration else { return call.fail("closed") }
    if !registration.covers(interest) { return notCovered(call, registration, interest.letters) }
    return wait(call, registration, interest, timeout: 1)
  }

  // MARK: Without waiting

  private static func poll(_ call: Call, _ registration: Registration, _ interest: Interest)
    -> Int32
  {
    guard let event = registration.readyEvent(interest) else {
      call.push()
      return call.done
    }
    return answer(call, registration, event.ready)
  }

  private static func poll(_ call: Call, _ interest: Interest) -> Int32 {
    guard let registration = call.registration?.registration else { return call.fail("closed") }
    if !registration.covers(interest) { return notCovered(call, registration, interest.letters) }
    return poll(call, registration, interest)
  }

  /// registration:poll_read_ready() -> bits, generations, token | nil
  static let pollReadReady: Leaf = { raw in unsafe poll(Call(raw), .read) }

  static let pollWriteReady: Leaf = { raw in unsafe poll(Call(raw), .write) }

  /// The readiness that registration:try_io(letters, fn) needs -> bits, generations, token | nil
  static let tryIO: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let registration = call.registration?.registration else { return call.fail("closed") }
    guard let interest = interest(call, registration) else {
      return badInterest(call, registration)
    }
    return poll(call, registration, interest)
  }

  /// registration:clear_readiness(bits, read generation, write generation, token) -> true
  static let clear: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let registration = call.registration?.registration else { return call.fail("closed") }
    let event = ReadyEvent(
      ready: Ready(rawValue: UInt16(truncatingIfNeeded: call.integer(1))),
      readGeneration: UInt64(bitPattern: call.integer(2)),
      writeGeneration: UInt64(bitPattern: call.integer(3)),
      token: UInt64(bitPattern: call.integer(4)))
    if registration.clearReadiness(event) { return call.answer(true) }
    return call.raise(
      "clear_readiness of fd \(registration.fd): the event is of another registration")
  }

  static let deregister: Leaf = { raw in
    let call = unsafe Call(raw)
    guard case .object(let object)? = call.host.objects.remove(call.handle()),
      let ended = object as? ScriptRegistration
    else { return call.answer(false) }
    let code = ended.registration.deregister()
    return code > 0 ? call.fail(code: code) : call.answer(true)
  }

  static let fd: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let object = call.registration else { return call.fail("closed") }
    return call.answer(Int(object.registration.fd))
  }

  static let interest: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let object = call.registration else { return call.fail("closed") }
    return call.answer(object.registration.interest.letters)
  }
}

extension Call {
  /// The registration behind argument 0; nil when it has ended.
  var registration: ScriptRegistration? {
    host.objects.find(handle(), .registration, as: ScriptRegistration.self)
  }
}
