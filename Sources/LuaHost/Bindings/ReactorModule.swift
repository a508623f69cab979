import Reactor

/// `reactor.metrics()`: the counters of the driver. The longest turn is kept from the first call
/// on.
enum ReactorModule {
  static let functions: [Function] = unsafe [Function("metrics", "", metrics)]

  static let metrics: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    host.driver.measuresTime = true
    let metrics = host.driver.metrics
    let counters: [(String, UInt64)] = [
      ("registered", metrics.registered), ("deregistered", metrics.deregistered),
      ("registrations", UInt64(host.driver.registrationCount)),
      ("lingering", UInt64(host.driver.lingeringCount)),
      ("ready_events", metrics.readyEvents), ("stale_events", metrics.staleEvents),
      ("spurious_wakeups", metrics.spuriousWakeups), ("spins_avoided", metrics.spinsAvoided),
      ("turns", metrics.turns), ("accept_errors", metrics.acceptErrors),
      ("tasks", UInt64(host.liveTaskCount)), ("handles", UInt64(host.objects.count)),
      ("lua_bytes", UInt64(host.bytes)),
    ]
    let times: [(String, UInt64)] = [
      ("longest_turn", metrics.longestTurn), ("longest_resume", metrics.longestResume),
    ]
    call.push(
      .table(
        counters.map { (.text($0.0), .integer(Int64(clamping: $0.1))) }
          + times.map { (.text($0.0), .number(Double($0.1) / 1e9)) }))
    return call.done
  }
}
