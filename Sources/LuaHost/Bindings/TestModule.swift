import CLua
import Reactor

/// What running the tests of `reactor.test` needs below its Lua part: the reports of the host, and
/// what is open.
enum TestModule {
  static let functions: [Function] = unsafe [
    Function("watch", "b", watch),
    Function("reports", "", reports),
    Function("open", "", open),
    Function("cancel", "ii", cancel),
  ]

  /// watch(on): keeps the reports of the host for `reports`, and notes who makes descriptors.
  static let watch: Leaf = { raw in
    let call = unsafe Call(raw)
    call.host.testWatch = call.isTrue(0) ? TestWatch() : nil
    return call.done
  }

  /// reports() -> the texts since the last call
  static let reports: Leaf = { raw in
    let call = unsafe Call(raw)
    let texts = call.host.testWatch?.reports ?? []
    call.host.testWatch?.reports = []
    call.push(.list(texts.map(Value.text)))
    return call.done
  }

  /// open() -> a list of what is open: { key, text, kind, slot, generation, traceback }
  static let open: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    let things = host.openTasks() + host.openHandles() + host.openDescriptors()
    call.push(.list(things.map(Value.list)))
    return call.done
  }

  /// cancel(slot, generation): of a task that `open` named
  static let cancel: Leaf = { raw in
    let call = unsafe Call(raw)
    let slot = UInt32(truncatingIfNeeded: call.integer(0))
    if let task = unsafe lr_task_at(raw.pointee.host, slot),
      unsafe Int64(task.pointee.generation) == call.integer(1)
    {
      unsafe call.host.scheduler.cancel(task)
    }
    return call.done
  }
}

extension LuaHost {
  fileprivate func openTasks() -> [[Value]] {
    var things: [[Value]] = []
    for slot in unsafe 1..<max(lr_task_limit(raw), 1) {
      guard let task = unsafe lr_task_at(raw, slot),
        unsafe task.pointee.flags & UInt32(LR_TASK_LIVE) != 0
      else { continue }
      let generation = unsafe task.pointee.generation
      let site = unsafe task.pointee.site
      let place = site == 0 ? "" : " that was spawned at \(siteText(site))"
      let traceback = unsafe String(lr_task_traceback(raw, task))
      things.append([
        .text("task \(slot) \(generation)"), .text("a task\(place)"),
        .text("task"), .integer(Int64(slot)), .integer(Int64(generation)), .text(traceback),
      ])
    }
    return things
  }

  fileprivate func openHandles() -> [[Value]] {
    var things: [[Value]] = []
    objects.forEach { handle, content in
      let (text, site, isOpen) =
        switch content {
        case .stream(let stream):
          unsafe ("connection (fd \(stream.pointee.fd))", stream.pointee.site, true)
        case .object(let object): (object.describe(), object.site, object.isOpen)
        }
      let made = site == 0 ? "" : ", made at \(siteText(site))"
      things.append([
        .text("handle \(handle.slot) \(handle.generation)"), .text(text + made),
        .text(isOpen ? "handle" : "quiet"),
      ])
    }
    return things
  }

  fileprivate func openDescriptors() -> [[Value]] {
    (testWatch?.descriptors ?? []).compactMap { fd, site in
      var kind = DescriptorKind.other
      if kernel.kind(fd, &kind) != 0 { return nil }
      return [
        .text("descriptor \(fd) \(site)"), .text("descriptor \(fd), made at \(siteText(site))"),
        .text("descriptor"),
      ]
    }
  }
}
