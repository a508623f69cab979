import Glibc
import Reactor

/// What the base functions need: standard streams, files, the environment, metrics.
enum BaseModule {
  static let functions: [Function] = unsafe [
    Function("out", "s", out),
    Function("err", "s", err),
    Function("flush", "", flush),
    Function("stdin", "", standardInput),
    Function("getenv", "s", environment),
  ]

  /// out(bytes) -> whether the output is so full that the caller should wait
  static let out: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    unsafe host.output.append(call.bytes(0), host.kernel)
    if host.output.failure != 0 { return call.fail(code: host.output.takeFailure()) }
    return call.answer(host.output.isFull)
  }

  static let err: Leaf = { raw in
    let call = unsafe Call(raw)
    unsafe call.host.writeStandardError(call.bytes(0))
    return call.answer(true)
  }

  /// flush() -> whether everything that was printed is out
  static let flush: Leaf = { raw in
    let call = unsafe Call(raw)
    return call.answer(call.host.output.flush(call.host.kernel))
  }

  /// stdin() -> the standard input as a connection
  static let standardInput: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    do throws(SystemError) {
      let registration = try host.driver.register(0, .read, [])
      let stream = unsafe host.driver.makeStream(registration, .standardInput)
      let (slot, generation) = unsafe host.objects.insert(stream)
      call.push(handle: slot, generation, of: .connection)
      return call.done
    } catch {
      return call.fail(code: error.code)
    }
  }

  static let environment: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let value = call.host.kernel.environment(call.text(0)) else {
      call.push()
      return call.done
    }
    return call.answer(value)
  }
}
