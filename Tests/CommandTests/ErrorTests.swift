import Testing

@Suite struct `What the command says of errors` {
  @Test func `a syntax error names file and line, and nothing has run`() throws {
    let folder = try Folder(["broken.lua": "print 'before'\nlocal x = = 1\n"])
    let result = try luareact("broken.lua", folder: folder.path)
    #expect(result.errors == "luareact: broken.lua:2: unexpected symbol near '='\n")
    #expect(result.output == "")
    #expect(result.code == 1)
  }

  @Test func `an uncaught error has a traceback, after everything that was printed`() throws {
    let folder = try Folder([
      "fails.lua": "local function deep() error 'boom' end\nprint 'before'\ndeep()\n"
    ])
    let result = try luareact("fails.lua", folder: folder.path)
    #expect(result.output == "before\n")
    #expect(result.errors.hasPrefix("luareact: fails.lua:1: boom\nstack traceback:\n"))
    #expect(result.errors.contains("fails.lua:3: in main chunk"))
    #expect(result.code == 1)
  }

  @Test func `an error in a task says where it was spawned`() throws {
    let result = try luareact(
      "-", input: "local task = require 'reactor.task'\ntask.spawn(function() error 'inner' end)\n")
    #expect(result.errors.contains("stdin:2: inner\nstack traceback:\n"))
    #expect(result.errors.contains("spawned at"))
    #expect(result.errors.contains("stdin:2"))
    #expect(result.code == 1)
  }

  @Test func `an error object that is a table without text says its type`() throws {
    let result = try luareact("-e", "error {}")
    #expect(result.errors.hasPrefix("luareact: (error object is a table value)\n"))
    #expect(result.code == 1)
  }

  @Test func `an error object with __tostring is asked for its text`() throws {
    let result = try luareact(
      "-e", "error(setmetatable({}, { __tostring = function() return 'described' end }))")
    #expect(result.errors.hasPrefix("luareact: described\n"))
    #expect(result.code == 1)
  }

  @Test(arguments: [
    "error(nil)", "error()", "error(true)", "error(setmetatable({}, { __tostring = error }))",
    "error(setmetatable({}, { __tostring = function() return 1 end }))", "error(12)",
  ])
  func `any error object ends in a message`(statement: String) throws {
    let result = try luareact("-e", statement)
    #expect(result.errors.hasPrefix("luareact: "))
    #expect(result.code == 1)
  }

  @Test func `an error in a finalizer is told, and the program goes on`() throws {
    let result = try luareact(
      "-",
      input: "setmetatable({}, { __gc = function() error 'too late' end })\n"
        + "collectgarbage()\nprint 'goes on'\n")
    #expect(result.output == "goes on\n")
    #expect(result.errors == "luareact: warning: error in __gc (stdin:1: too late)\n")
    #expect(result.code == 0)
  }

  @Test func `finalizers run at the end, and what they print is seen`() throws {
    let result = try luareact(
      "-e", "keep = setmetatable({}, { __gc = function() print 'closing' end })")
    expectSuccess(result)
    #expect(result.output == "closing\n")
  }

  @Test func `an error in an error handler is an error as any other`() throws {
    let caught = try luareact(
      "-e", "print((xpcall(error, function() error 'again' end, 'first')))")
    expectSuccess(caught)
    #expect(caught.output == "false\n")
    let task = try luareact(
      "-",
      input: "local task = require 'reactor.task'\n"
        + "task.spawn(xpcall, error, function() error 'again' end, 'first'):join()\nprint 'ok'\n")
    expectSuccess(task)
    #expect(task.output == "ok\n")
  }

  @Test func `tasks that nothing can wake are named, and the exit code is 1`() throws {
    let result = try luareact(
      "-",
      input: "local task = require 'reactor.task'\nlocal main\n"
        + "local t = task.spawn(function() main:join() end)\n"
        + "main = task.spawn(function() t:join() end)\n")
    #expect(result.errors.hasPrefix("luareact: stuck: "))
    #expect(result.code == 1)
  }

  @Test func `a port in use and an address that does not parse are values`() throws {
    let script = """
      local net = require "reactor.net"
      local one <close> = assert(net.listen "127.0.0.1:0")
      print(net.listen(one:address()))
      print(net.listen "127.0.0.1:notaport")
      print(net.listen "nothing at all")
      """
    let result = try luareact("-", input: script)
    expectSuccess(result)
    let lines = result.output.split(separator: "\n")
    #expect(lines[0] == "nil\taddress already in use\tEADDRINUSE")
    #expect(lines[1].hasPrefix("nil\t"))
    #expect(lines[2].hasPrefix("nil\t"))
  }

  @Test func `an example on a port in use ends with that message`() throws {
    let server = try Child(Paths.command, ["scripts/examples/echo_server.lua", "127.0.0.1:0"])
    let address = String(try server.readLine().dropFirst("listening on ".count))
    let second = try luareact("scripts/examples/echo_server.lua", address)
    #expect(second.errors.contains("address already in use"))
    #expect(second.code == 1)
    #expect(try server.stop().errors == "")
  }

  @Test func `a reader that goes away is an error value, not a dead process`() throws {
    let script = """
      local sys = require "reactor.sys"
      local r, w = sys.pipe()
      sys.close(r)
      print(sys.write(w, "x"))
      """
    let result = try luareact("-", input: script)
    expectSuccess(result)
    #expect(result.output == "nil\tbroken pipe\tEPIPE\n")
  }
}
