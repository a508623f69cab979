import LuaHost
import Reactor
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Running a script from Swift` {
  private func host() throws -> LuaHost { try LuaHost(kernel: LinuxKernel()) }

  @Test(
    arguments: [
      ("return 1 + 1", .integer(2)), ("return 'a\\0b'", .bytes([97, 0, 98])), ("", .nil),
      ("return 0.5, 'second'", .number(0.5)), ("return nil, 1", .nil),
      ("return true", .boolean(true)),
      ("return ...", .text("argument")), ("return {}", .nil),
    ] as [(String, Value)])
  func `returns the first value that the script returned`(source: String, value: Value) throws {
    #expect(try host().run(source, arguments: [.text("argument")]) == value)
  }

  @Test func `calls what the app defined, and waits for the script's tasks`() throws {
    let host = try host()
    var seen: [String] = []
    try host.define("note") { arguments in
      seen.append(arguments[0].text ?? "")
      return [.integer(Int64(seen.count))]
    }
    let value = try host.run(
      """
      local note = require "app".note
      require "reactor.task".spawn(function()
        require "reactor.time".sleep(0.001)
        note "from the task"
      end)
      return note "from the script"
      """)
    #expect(value == .integer(1))
    #expect(seen == ["from the script", "from the task"])
  }

  @Test func `an error is thrown, not reported, and the host goes on`() throws {
    let host = try host()
    var reports: [String] = []
    host.onReport = { reports.append($0) }
    #expect(throws: LuaError.syntax("script:1: unexpected symbol near '='")) {
      try host.run("x = = 1")
    }
    let error = #expect(throws: LuaError.self) { try host.run("error 'boom'") }
    #expect(error?.description.hasPrefix("script:1: boom\nstack traceback:") == true)
    let inner = #expect(throws: LuaError.self) {
      try host.run("require 'reactor.task'.spawn(error, 'in a task')")
    }
    #expect(inner?.description.contains("in a task") == true)
    #expect(reports.isEmpty)
    #expect(try host.run("return 'fine'") == .text("fine"))
    #expect(try host.run() == .done)
  }

  @Test func `a script that nothing can wake is an error`() throws {
    let host = try host()
    var reports: [String] = []
    host.onReport = { reports.append($0) }
    let source = """
      local task = require "reactor.task"
      local a, b
      a = task.spawn(function() b:join() end)
      b = task.spawn(function() a:join() end)
      """
    #expect(throws: LuaError.script("the script did not come to its end")) {
      try host.run(source)
    }
    #expect(reports.count == 1)
    #expect(reports.first?.hasPrefix("stuck: ") == true)
  }

  @Test func `chunks of one task run in order, and the last has the arguments`() throws {
    let host = try host()
    var seen: [Value] = []
    try host.define("note") { arguments in
      seen.append(arguments[0])
      return []
    }
    try host.load(
      [
        Chunk("note = require 'app'.note", name: "=first"),
        Chunk("require 'reactor.time'.sleep(0.001) note(select('#', ...))", name: "=second"),
        Chunk("note(...)", name: "=third"),
      ], arguments: [.text("argument")])
    #expect(try host.run() == .done)
    #expect(seen == [.integer(0), .text("argument")])
  }
}
