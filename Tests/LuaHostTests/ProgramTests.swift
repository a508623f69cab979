import Glibc
import LuaHost
import Reactor
import Testing

import enum LuaHost.ExitStatus

/// What a program sees of its surroundings: where modules are searched, and how it ends.
@Suite struct ProgramTests {
  private func run(_ source: String, searchPaths: [String] = []) throws -> ExitStatus {
    let host = try LuaHost(kernel: LinuxKernel())
    host.onReport = { Issue.record("reported: \($0)") }
    host.searchPaths = searchPaths
    try host.load(source)
    return try host.run()
  }

  @Test func modulesAreFoundInTheSearchPathsInTheirOrder() throws {
    let status = try run(
      """
      assert(package.path:find("^/first/%?.lua;/first/%?/init.lua;/second/%?.txt;"))
      assert(package.path:find("/usr/share/lua/5.4/?.lua", 1, true))
      local ok, why = pcall(require, "none")
      assert(not ok and why:find("no file '/first/none.lua'", 1, true))
      """, searchPaths: ["/first", "/second/?.txt"])
    #expect(status == .done)
  }

  @Test func settingTheSearchPathsAgainReplacesThem() throws {
    let host = try LuaHost(kernel: LinuxKernel())
    host.searchPaths = ["/first"]
    try host.load("assert(package.path:find('^/first/'))")
    #expect(try host.run() == .done)
    host.searchPaths = ["/second"]
    try host.load("assert(not package.path:find('/first/')) assert(package.path:find('^/second/'))")
    #expect(try host.run() == .done)
  }

  @Test func exitEndsTheRunWithItsCode() throws {
    #expect(try run("pcall(os.exit, 42) error('not reached')") == .code(42))
    #expect(try run("os.exit(true)") == .code(0))
  }

  @Test func exitCancelsTheOtherTasks() throws {
    let status = try run(
      """
      local task, time = require "reactor.task", require "reactor.time"
      task.spawn(function()
        local ok, why = pcall(time.sleep, 100)
        assert(not ok and why == task.Cancelled)
        while true do pcall(time.sleep, 100) end
      end)
      time.sleep(0)
      os.exit(3)
      """)
    #expect(status == .code(3))
  }

  @Test func aHostThatExitedTurnsNoMore() throws {
    let host = try LuaHost(kernel: LinuxKernel())
    try host.load("os.exit(1)")
    #expect(try host.turn() == false)
    #expect(try host.turn() == false)
  }
}
