import Testing

@Suite struct `The scripts of the tests` {
  /// Each file in a process of its own, so that it can count descriptors and tasks in peace.
  @Test func `pass, each under luareact test`() throws {
    let child = try Child(
      Paths.command, ["test", "--timeout", "120", "scripts/tests"], seconds: 900)
    let result = try child.finish()
    expectSuccess(result)
    #expect(result.code == 0, "\(result.output)")
  }

  @Test func `a script that comes and goes leaves no descriptor behind`() throws {
    let script = """
      local net, sys, task = require "reactor.net", require "reactor.sys", require "reactor.task"
      -- The lowest number that is free says whether one below it is still taken.
      local function lowest()
        local fd = assert(sys.dup(0))
        sys.close(fd)
        return fd
      end
      local before = lowest()
      for _ = 1, 20 do
        local listener = assert(net.listen "127.0.0.1:0")
        local server = task.spawn(net.serve, listener, function(conn) conn:write "hi" end)
        for _ = 1, 5 do
          local conn <close> = assert(net.connect(listener:address()))
          assert(conn:readn(2, 10) == "hi")
        end
        listener:close()
        server:join()
      end
      assert(lowest() == before, "descriptors are left")
      """
    expectSuccess(try luareact("-", input: script))
  }
}
