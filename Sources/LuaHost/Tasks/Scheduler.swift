import CLua
import Reactor

/// Resumes tasks in the order in which they were woken, and keeps their tree.
///
/// A task's children belong to it: it ends after they have ended. A child that fails cancels its
/// parent and its siblings, and its error becomes the parent's, up to the root, where it is
/// reported.
@safe
final class Scheduler {
  typealias Task = UnsafeMutablePointer<lr_task>

  private let raw: OpaquePointer
  private let driver: Driver
  private let core: HostCorePointer
  /// Resumes between two polls of the driver.
  private static let resumesPerTurn = 61
  @safe @exclusivity(unchecked) private(set) var exitStatus = ExitStatus.done
  /// A script asked for the end of the program.
  @safe @exclusivity(unchecked) private(set) var isExiting = false
  /// Tasks whose operations are used up: they go on after the next poll, behind all that it wakes.
  @safe @exclusivity(unchecked) private var spent: [WaiterPointer] = unsafe []
  /// Error texts on their way to the root, by slot. Looked up only, never walked.
  @safe @exclusivity(unchecked) private var errors: [UInt32: String] = [:]

  init(raw: OpaquePointer, driver: Driver, core: HostCorePointer) {
    unsafe self.raw = unsafe raw
    self.driver = driver
    unsafe self.core = unsafe core
    unsafe lr_set_spawned(raw) { context, task, parent in
      guard let core = unsafe context?.assumingMemoryBound(to: HostCore.self),
        let task = unsafe task
      else { return }
      unsafe core.pointee.host._withUnsafeGuaranteedRef { host in
        unsafe host.scheduler.start(task, parent: parent, flags: 0)
      }
    }
  }

  private var host: LuaHost { unsafe core.pointee.host.takeUnretainedValue() }

  // MARK: Starting

  func start(_ task: Task, parent: Task?, flags: UInt32) {
    unsafe task.pointee.flags |= flags
    let waiter = unsafe waiter(of: task) ?? makeWaiter(for: task)
    let isDetached = unsafe task.pointee.flags & UInt32(LR_TASK_DETACHED) != 0
    if let parent = unsafe parent, !isDetached { unsafe link(task, to: parent) }
    unsafe driver.waits.enqueue(waiter)
  }

  /// A slot keeps its waiter: the next task in it takes that over.
  private func makeWaiter(for task: Task) -> WaiterPointer {
    let waiter = unsafe driver.waits.makeWaiter(tag: UInt(bitPattern: task))
    unsafe task.pointee.waiter = UnsafeMutableRawPointer(waiter)
    return unsafe waiter
  }

  // MARK: Running

  /// Resumes tasks that are ready, at most as many as may run between two polls.
  func drain() {
    var left = Self.resumesPerTurn
    while left > 0, !isExiting, let waiter = unsafe driver.waits.nextWoken() {
      unsafe run(waiter)
      left -= 1
    }
  }

  /// Resumes until nobody is ready, for the time after the driver was shut down.
  func drainAll() {
    var left = 1_000_000
    while left > 0 {
      queueSpent()
      guard let waiter = unsafe driver.waits.nextWoken() else { return }
      unsafe run(waiter)
      left -= 1
    }
  }

  /// Whether tasks go on after the next poll, which must not wait then.
  var hasSpent: Bool { unsafe !spent.isEmpty }

  /// Puts those whose operations were used up behind all that are ready.
  func queueSpent() {
    if !hasSpent { return }
    for index in unsafe spent.indices { unsafe driver.waits.enqueue(spent[index]) }
    unsafe spent.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private func run(_ waiter: WaiterPointer) {
    guard let task = unsafe Task(bitPattern: waiter.pointee.tag) else { return }
    unsafe task.pointee.reason = unsafe waiter.pointee.reason.rawValue
    switch unsafe lr_task_resume(raw, task) {
    case Int32(LR_PARKED): break
    case Int32(LR_YIELDED): unsafe driver.waits.enqueue(waiter)
    case Int32(LR_SPENT): unsafe spent.append(waiter)
    case Int32(LR_DONE): unsafe bodyEnded(task)
    default: unsafe bodyFailed(task)
    }
  }

  // MARK: Ending

  private func bodyEnded(_ task: Task) {
    if unsafe task.pointee.first_child == 0 { return unsafe finish(task) }
    unsafe task.pointee.flags |= UInt32(LR_TASK_ENDING)
  }

  private func bodyFailed(_ task: Task) {
    if unsafe task.pointee.flags & UInt32(LR_TASK_INHERITED) == 0 {
      unsafe errors[task.pointee.slot] = unsafe String(lr_task_error(raw, task))
    }
    unsafe cancelChildren(of: task)
    unsafe bodyEnded(task)
  }

  /// A task whose body and children have ended.
  private func finish(_ task: Task) {
    let failed = unsafe task.pointee.flags & UInt32(LR_TASK_FAILED | LR_TASK_INHERITED) != 0
    let error = unsafe failed ? errors.removeValue(forKey: task.pointee.slot) : nil
    let parent = unsafe lr_task_at(raw, task.pointee.parent)
    if failed, unsafe !isOwnCancellation(task) {
      unsafe pass(error ?? "error", of: task, to: parent)
    }
    if !failed, unsafe task.pointee.flags & UInt32(LR_TASK_MAIN) != 0 {
      unsafe host.noteResult(of: task)
    }
    if let parent = unsafe parent { unsafe unlink(task, from: parent) }
    if unsafe task.pointee.flags & UInt32(LR_TASK_OWNS) == 0 {
      unsafe driver.waits.wakeAll(Self.joiners(of: task), .ready)
    } else {
      let owned = unsafe UInt64(UInt(bitPattern: task.pointee.joiners))
      let name = (
        UInt32(truncatingIfNeeded: owned), UInt32(truncatingIfNeeded: owned >> 32)
      )
      _ = host.close(name)
    }
    if let waiter = unsafe waiter(of: task) { unsafe driver.waits.retire(waiter) }
    unsafe lr_task_finish(raw, task)
    if let parent = unsafe parent, unsafe parent.pointee.flags & UInt32(LR_TASK_ENDING) != 0,
      unsafe parent.pointee.first_child == 0
    {
      unsafe finish(parent)
    }
  }

  /// A cancelled task ends with the error that the cancel raised: that is no failure.
  private func isOwnCancellation(_ task: Task) -> Bool {
    unsafe task.pointee.flags & UInt32(LR_TASK_CANCELLED) != 0
      && task.pointee.flags & UInt32(LR_TASK_INHERITED) == 0
      && lr_task_was_cancelled(raw, task) != 0
  }

  /// Hands an error to the parent, whose outcome it becomes; at the root it is reported.
  private func pass(_ error: String, of task: Task, to parent: Task?) {
    // Who joins it learns of its failure; nobody else does.
    if unsafe task.pointee.flags & UInt32(LR_TASK_OBSERVED) != 0 { return }
    // One connection's failure is not the server's.
    if unsafe task.pointee.flags & UInt32(LR_TASK_OWNS) != 0 { return host.report(error) }
    guard let parent = unsafe parent, unsafe task.pointee.flags & UInt32(LR_TASK_DETACHED) == 0
    else {
      if unsafe host.takesFailure(of: task, error) { return }
      if !isExiting { exitStatus = .failed }
      return host.report(error)
    }
    if unsafe parent.pointee.flags & UInt32(LR_TASK_INHERITED) == 0 {
      unsafe lr_task_inherit(raw, parent, task)
      let site = unsafe host.siteText(task.pointee.site)
      unsafe errors[parent.pointee.slot] = "\(error)\n[spawned at \(site)]"
    }
    unsafe cancel(parent)
  }

  /// Those who wait for the end of a task.
  static func joiners(of task: Task) -> WaitQueuePointer {
    unsafe withUnsafeMutablePointer(to: &task.pointee.joiners) {
      unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: WaitQueue.self)
    }
  }

  // MARK: Cancelling

  /// Cancels a task and its children: every wait of theirs raises from now on.
  func cancel(_ task: Task) {
    guard unsafe task.pointee.flags & UInt32(LR_TASK_CANCELLED) == 0 else { return }
    unsafe task.pointee.flags |= UInt32(LR_TASK_CANCELLED)
    if unsafe task.pointee.flags & UInt32(LR_TASK_SHIELDED) != 0 { return }
    if let waiter = unsafe waiter(of: task) { unsafe driver.waits.cancel(waiter) }
    unsafe cancelChildren(of: task)
  }

  /// Begins or ends a shield: under one, a cancel is noted, and takes effect at its end.
  func shield(_ task: Task, _ begins: Bool) {
    if begins {
      unsafe task.pointee.shields = unsafe min(task.pointee.shields, 254) + 1
      unsafe task.pointee.flags |= UInt32(LR_TASK_SHIELDED)
    } else if unsafe task.pointee.shields > 0 {
      unsafe task.pointee.shields -= 1
      guard unsafe task.pointee.shields == 0 else { return }
      unsafe task.pointee.flags &= ~UInt32(LR_TASK_SHIELDED)
      if unsafe task.pointee.flags & UInt32(LR_TASK_CANCELLED) != 0 {
        unsafe cancelChildren(of: task)
      }
    }
  }

  private func cancelChildren(of task: Task) {
    var slot = unsafe task.pointee.first_child
    while let child = unsafe lr_task_at(raw, slot) {
      slot = unsafe child.pointee.next_sibling
      unsafe cancel(child)
    }
  }

  /// Begins the end of the program; the first one to ask says with which code.
  func requestExit(_ code: Int32) {
    if !isExiting { exitStatus = .code(code) }
    isExiting = true
  }

  /// Cancels every task. One that catches that and goes on does not go on for long.
  func cancelAll() {
    for slot in unsafe 1..<max(lr_task_limit(raw), 1) {
      guard let task = unsafe lr_task_at(raw, slot),
        unsafe task.pointee.flags & UInt32(LR_TASK_LIVE) != 0
      else { continue }
      unsafe lr_task_stop(raw, task)
      unsafe cancel(task)
    }
  }

  private func waiter(of task: Task) -> WaiterPointer? {
    unsafe task.pointee.waiter?.assumingMemoryBound(to: Waiter.self)
  }

  /// Whether a task waits, as opposed to being ready to run.
  func isWaiting(_ task: Task) -> Bool {
    unsafe waiter(of: task).map { unsafe driver.waits.isParked($0) } ?? false
  }

  // MARK: The tree

  private func link(_ task: Task, to parent: Task) {
    unsafe task.pointee.parent = unsafe parent.pointee.slot
    let first = unsafe parent.pointee.first_child
    unsafe task.pointee.next_sibling = first
    if let sibling = unsafe lr_task_at(raw, first) {
      unsafe sibling.pointee.previous_sibling = unsafe task.pointee.slot
    }
    unsafe parent.pointee.first_child = unsafe task.pointee.slot
  }

  private func unlink(_ task: Task, from parent: Task) {
    let previous = unsafe lr_task_at(raw, task.pointee.previous_sibling)
    if let previous = unsafe previous {
      unsafe previous.pointee.next_sibling = unsafe task.pointee.next_sibling
    } else {
      unsafe parent.pointee.first_child = unsafe task.pointee.next_sibling
    }
    if let next = unsafe lr_task_at(raw, task.pointee.next_sibling) {
      unsafe next.pointee.previous_sibling = unsafe task.pointee.previous_sibling
    }
  }

  // MARK: Being stuck

  /// Whether tasks are left that nothing can wake.
  var isStuck: Bool {
    host.liveTaskCount > 0 && driver.waits.wokenCount == 0 && !hasSpent
      && driver.waits.timerCount == 0 && driver.registrationCount == 0
  }

  func reportStuck() {
    exitStatus = .failed
    var text = "stuck: nothing can wake the tasks that are left"
    for slot in unsafe 1..<max(lr_task_limit(raw), 1) {
      guard let task = unsafe lr_task_at(raw, slot),
        unsafe task.pointee.flags & UInt32(LR_TASK_LIVE) != 0
      else {
        continue
      }
      let site = unsafe task.pointee.site
      text += "\ntask \(slot)" + (site == 0 ? "" : ", spawned at \(host.siteText(site))")
      unsafe text += ", waits at\n" + String(lr_task_traceback(raw, task))
    }
    host.report(text)
  }
}
