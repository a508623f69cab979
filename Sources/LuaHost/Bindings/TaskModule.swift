import CLua
import Reactor

/// `reactor.task` below its Lua part. `spawn` and `yield` are C (CLua/task.c, call.c).
enum TaskModule {
  static let functions: [Function] = unsafe [
    Function("join", "ht?", waits: true, method: .task, fast: fastJoin, join),
    Function("cancel", "h", method: .task, cancel),
    Function("status", "h", method: .task, status),
    Function("shield", "b", shield),
    Function("cancelled", "", isCancelled),
  ]

  static let describe: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let task = unsafe call.taskArgument else { return call.answer("task (ended)") }
    let site = unsafe call.host.siteText(task.pointee.site)
    let isMain = unsafe task.pointee.flags & UInt32(LR_TASK_MAIN) != 0
    return call.answer(
      unsafe isMain ? "task main" : "task \(task.pointee.slot) (spawned at \(site))")
  }

  /// task:join([timeout]) -> what its body returned; raises what it raised
  static let join: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let task = unsafe call.taskArgument else { return Int32(LR_TASK_RESULT) }
    if unsafe task == call.task { return call.raise("a task cannot join itself") }
    let caller = call.caller(timeout: 1)
    switch caller.reason {
    case .first, .ready: break
    case let reason: return call.end(reason)
    }
    guard let waiter = unsafe caller.waiter, caller.deadline != 0 else { return call.end(.timeout) }
    if unsafe task.pointee.flags & UInt32(LR_TASK_OWNS) != 0 {
      return call.raise("the task of a connection that net.serve runs cannot be joined")
    }
    unsafe call.host.driver.waits.park(
      waiter, in: Scheduler.joiners(of: task), mask: .all, deadline: caller.deadline)
    return call.parked
  }

  /// Parks the caller until the task that `handle` names has ended.
  static let fastJoin: lr_fast_leaf = { context, caller, handle, _, _ in
    let core = unsafe context.assumingMemoryBound(to: HostCore.self)
    guard let raw = unsafe core.pointee.call.pointee.host,
      let task = unsafe lr_task_at(raw, UInt32(truncatingIfNeeded: handle)), unsafe task != caller,
      unsafe task.pointee.flags & UInt32(LR_TASK_OWNS) == 0,
      let waiter = unsafe caller.pointee.waiter?.assumingMemoryBound(to: Waiter.self)
    else { return Int64(LR_FAST_GENERAL) }
    let joiners = unsafe Scheduler.joiners(of: task)
    unsafe core.pointee.fastPath.pointee.waits.park(
      waiter, in: joiners, mask: .all, deadline: .max)
    return Int64(LR_FAST_WAIT)
  }

  static let cancel: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let task = unsafe call.taskArgument else { return call.answer(false) }
    unsafe call.host.scheduler.cancel(task)
    return call.answer(true)
  }

  /// shield(begins): defers cancels of the running task, or ends that.
  static let shield: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let task = unsafe call.task else {
      return call.raise("'shield' may be called in a task only")
    }
    unsafe call.host.scheduler.shield(task, call.isTrue(0))
    return call.done
  }

  /// cancelled() -> whether the running task was cancelled
  static let isCancelled: Leaf = { raw in
    let call = unsafe Call(raw)
    return unsafe call.answer(
      call.task.map { unsafe $0.pointee.flags & UInt32(LR_TASK_CANCELLED) != 0 } ?? false)
  }

  /// task:status() -> "running", "waiting", "ready" or "ended"
  static let status: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let task = unsafe call.taskArgument else { return call.answer("ended") }
    if unsafe task == call.task { return call.answer("running") }
    return unsafe call.answer(call.host.scheduler.isWaiting(task) ? "waiting" : "ready")
  }
}

extension Call {
  /// The task that argument 0 names; nil when it has ended.
  var taskArgument: UnsafeMutablePointer<lr_task>? {
    let handle = handle()
    guard handle.generation != 0, let task = unsafe lr_task_at(raw.pointee.host, handle.slot),
      unsafe task.pointee.generation == handle.generation
    else { return nil }
    return unsafe task
  }
}
