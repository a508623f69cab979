import CLua
import Reactor

/// What the base functions need below their Lua part.
enum BaseModule {
  static let functions: [Function] = unsafe [
    Function("out", "s", out),
    Function("task", "", task),
  ]

  /// out(bytes): what print writes. Answers nothing, as print.
  static let out: Leaf = { raw in
    let call = unsafe Call(raw)
    let output = call.host.output
    if call.reason == .first { unsafe output.append(call.bytes(0), call.host.kernel) }
    return call.wait(until: !output.isFull, output) ?? call.done
  }

  /// task() -> a number for the task that calls, 0 outside of tasks
  static let task: Leaf = { raw in
    let call = unsafe Call(raw)
    return call.answer(unsafe Int(call.task?.pointee.slot ?? 0))
  }
}
