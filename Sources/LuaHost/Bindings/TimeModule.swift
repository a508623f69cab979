import Reactor

/// `reactor.time`: the clock and the sleep. Seconds as numbers.
enum TimeModule {
  static let functions: [Function] = unsafe [
    Function("sleep", "n", waits: true, sleep),
    Function("mono", "", monotonic),
    Function("now", "", wall),
    Function("processor", "", processor),
  ]

  /// sleep(seconds): never wakes early. Zero or less lets the others run.
  static let sleep: Leaf = { raw in
    let call = unsafe Call(raw)
    let seconds = call.number(0)
    if seconds.isNaN { return call.badArgument(0, "seconds is not a number (NaN)") }
    guard let waiter = unsafe call.waiter else { return call.raise("sleep: not in a task") }
    let waits = call.host.driver.waits
    switch call.reason {
    case .first:
      unsafe waits.park(waiter, deadline: max(call.host.deadline(after: seconds), 1))
      return call.parked
    case .timeout: return call.answer(true)
    case let reason: return call.end(reason)
    }
  }

  /// mono() -> seconds of a clock that never runs backwards
  static let monotonic: Leaf = { raw in
    let call = unsafe Call(raw)
    call.push(Double(call.host.kernel.monotonic()) / 1e9)
    return call.done
  }

  /// now() -> seconds since 1970-01-01 UTC
  static let wall: Leaf = { raw in
    let call = unsafe Call(raw)
    call.push(Double(call.host.kernel.wall()) / 1e9)
    return call.done
  }

  static let processor: Leaf = { raw in
    let call = unsafe Call(raw)
    call.push(Double(call.host.kernel.processorTime()) / 1e9)
    return call.done
  }
}
