import Reactor
import Testing

@testable import LuaHost

/// A script that never waits, in a host whose scripts may run so many instructions only.
@Suite(.serialized) struct `The meter` {
  private func report(_ source: String, place: Int) throws -> String {
    let host = try LuaHost(kernel: LinuxKernel(), pin: Pin(place: place, seed: 1))
    host.allow(instructions: 1_000_000)
    var text = ""
    host.onReport = { text += $0 }
    try host.load(source, name: "@loop.lua")
    #expect(try host.run() == .failed)
    #expect(host.hasRunAway)
    return text
  }

  @Test(arguments: [
    "local function spin()\n while true do end\nend\nspin()",
    "while true do pcall(function()\nwhile true do end end) end",
    "local function spin() while true do\n end end\ncoroutine.wrap(function() spin() end)()",
    "while true do local co = coroutine.create(function()\n while true do end end) "
      + "coroutine.resume(co) end",
    "require('reactor.task').spawn(function()\nwhile true do end end)",
    "setmetatable({}, { __gc = function() end })\nlocal t <close> = setmetatable({}, "
      + "{ __close = function() while true do end end })",
  ])
  func `a loop ends with an error that says where`(source: String) throws {
    let text = try report(source, place: 200)
    #expect(text.contains("a task ran on and on without waiting for anything\nstack traceback"))
    #expect(text.contains("loop.lua:2: in") || text.contains("loop.lua:1: in"), "\(text)")
    #expect(text.components(separatedBy: "stack traceback").count == 2, "\(text)")
  }

  @Test func `what is allowed is enough for a script that waits`() throws {
    let host = try LuaHost(kernel: LinuxKernel(), pin: Pin(place: 201, seed: 1))
    try host.load(
      """
      local time = require "reactor.time"
      for i = 1, 20 do
        for _ = 1, 30000 do end
        time.sleep(0)
      end
      """)
    host.allow(instructions: 100_000)
    while try host.turn() { host.allow(instructions: 100_000) }
    #expect(!host.hasRunAway)
  }
}

extension String {
  fileprivate func components(separatedBy text: String) -> [Substring] {
    split(separator: text, omittingEmptySubsequences: false)
  }
}
