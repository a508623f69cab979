import Testing

/// Scripts that try to break the host. Each runs in a process of its own, and ends as a script
/// does: with a result or an error, never with a signal.
@Suite struct `Hostile scripts` {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let source: String
    var output = ""
    /// Lines that standard error has, in any order; the rest is its traceback.
    var errors: [String] = []
    var code: Int32 = 0

    init(
      _ name: String, _ source: String, prints output: String = "", says errors: [String] = [],
      code: Int32 = 0
    ) {
      testDescription = name
      self.source = source
      self.output = output
      self.errors = errors
      self.code = code
    }
  }

  @Test(arguments: errors + recursion + coroutines + collector)
  func `end as scripts do`(hostile: Case) throws {
    let result = try luareact("-", input: hostile.source)
    #expect(result.signal == nil && result.code == hostile.code, "\(result.errors)")
    #expect(result.output == hostile.output)
    for text in hostile.errors { #expect(result.errors.contains(text), "\(result.errors)") }
    if hostile.errors.isEmpty { #expect(result.errors.isEmpty) }
  }

  // MARK: Errors

  private static let unnamed = "luareact: (error object is a table value)"

  static let errors = [
    Case("nil as an error", "error()", says: ["(error object is a nil value)"], code: 1),
    Case("a table as an error", "error {}", says: [unnamed], code: 1),
    Case(
      "an error whose __tostring fails",
      "error(setmetatable({}, { __tostring = function() error 'again' end }))", says: [unnamed],
      code: 1),
    Case(
      "an error whose __tostring waits",
      """
      error(setmetatable({}, { __tostring = function() require("reactor.time").sleep(1) end }))
      """, says: [unnamed], code: 1),
    Case(
      "an error whose __name is a table", "error(setmetatable({}, { __name = {} }))",
      says: [unnamed], code: 1),
    Case(
      "nil as the error of a task two below",
      """
      local task = require "reactor.task"
      task.spawn(function() task.spawn(function() error(nil) end) task.yield() end)
      """, says: ["(error object is a nil value)", "[spawned at stdin:2]"], code: 1),
    Case(
      "errors in message handlers",
      """
      print(xpcall(error, function() error "again" end, "x"))
      print(xpcall(error, function() local t = nil; return t.x end, "x"))
      print(xpcall(error, error, {}))
      """, prints: String(repeating: "false\terror in error handling\n", count: 3)),
    Case(
      "a task that joins itself",
      """
      local t t = require("reactor.task").spawn(function() return t:join() end)
      """, says: ["a task cannot join itself"], code: 1),
    Case(
      "globals that are gone",
      """
      local names = { "pairs", "type", "error", "pcall", "select", "tostring", "setmetatable" }
      for _, name in ipairs(names) do _G[name] = nil end
      coroutine.wrap, coroutine.running = nil, nil
      local net, task = require "reactor.net", require "reactor.task"
      local listener = assert(net.listen "127.0.0.1:0")
      task.spawn(net.serve, listener, function(c) c:write(assert(c:readline()) .. "\\n") end)
      local conn = assert(net.connect(listener:address()))
      conn:write "hello\\n"
      io.write(conn:readline(), "\\n")
      conn:close() listener:close()
      """, prints: "hello\n"),
    Case(
      "strings that fit into no memory",
      """
      print(pcall(string.rep, "x", 1 << 60))
      print(select("#", pcall(table.unpack, {}, 1, 1e7)))
      """, prints: "false\tresulting string too large\n2\n"),
  ]

  // MARK: Depth

  static let recursion = [
    Case(
      "recursion of every kind",
      """
      local function try(pattern, fn, ...)
        local ok, e = pcall(fn, ...)
        if ok then ok, e = ... , select(2, fn(...)) end
        print(e:match(pattern))
      end
      local function f() return 1 + f() end
      try("stack overflow", f)
      local t = setmetatable({}, {})
      getmetatable(t).__index = function(s, k) return s[k] end
      try("stack overflow", function() return t.x end)
      local u = setmetatable({}, {})
      getmetatable(u).__index = u
      try("loop", function() return u.x end)
      try("too complex", string.find, ("a"):rep(300000), (".-"):rep(300000) .. "b")
      local function s() return (("x"):gsub("x", function() return s() end)) end
      try("C stack overflow", s)
      print(select(2, load("return " .. ("("):rep(1000))):match "C stack overflow")
      print(select(2, load("return " .. ("{"):rep(100000))):match "overflow")
      """,
      prints: """
        stack overflow
        stack overflow
        loop
        too complex
        C stack overflow
        C stack overflow
        overflow

        """),
    Case(
      "generators in generators that wait",
      """
      local function wait(n)
        if n == 0 then require("reactor.task").yield() return 0 end
        return 1 + coroutine.wrap(wait)(n - 1)
      end
      print(wait(150))
      print(select(2, pcall(wait, 1000)):match "C stack overflow")
      print(wait(150))
      """, prints: "150\nC stack overflow\n150\n"),
    Case(
      "resumes in resumes after errors",
      """
      local function f() pcall(1) coroutine.wrap(f)() end
      print(select(2, pcall(f)):match "C stack overflow")
      """, prints: "C stack overflow\n"),
    Case(
      "closes in closes, a thousand deep",
      """
      local co = false
      for _ = 1, 1000 do
        local previous = co
        co = coroutine.create(function()
          local _ <close> = setmetatable({}, { __close = function()
            if previous then assert(coroutine.close(previous)) end
          end })
          coroutine.yield()
        end)
        assert(coroutine.resume(co))
      end
      local ok, e = coroutine.close(co)
      print(ok, (e:match "C stack overflow"), coroutine.status(co))
      """, prints: "false\tC stack overflow\tdead\n"),
  ]

  // MARK: Coroutines

  static let coroutines = [
    Case(
      "coroutines that are not theirs to resume or close",
      """
      local task, time = require "reactor.task", require "reactor.time"
      local co
      local t = task.spawn(function() co = coroutine.running() time.sleep(0.01) return 5 end)
      task.yield()
      print(coroutine.status(co), coroutine.resume(co))
      print(pcall(coroutine.close, co))
      print(t:join())
      print(coroutine.status(co), coroutine.resume(co))
      print(pcall(coroutine.close, (coroutine.running())))
      local g = coroutine.create(function() time.sleep(0.01) return "done" end)
      t = task.spawn(coroutine.resume, g)
      task.yield()
      print(coroutine.status(g), coroutine.resume(g))
      print(pcall(coroutine.close, g))
      print(t:join())
      """,
      prints: """
        normal\tfalse\tcannot resume non-suspended coroutine
        false\tcannot close a normal coroutine
        5
        dead\tfalse\tcannot resume dead coroutine
        false\tcannot close a running coroutine
        normal\tfalse\tcannot resume non-suspended coroutine
        false\tcannot close a normal coroutine
        true\tdone

        """),
    Case(
      "an error in __close of a coroutine that waits in xpcall",
      """
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function() error(134) end })
        xpcall(coroutine.yield, function() return "handler" end)
      end)
      coroutine.resume(co)
      print((coroutine.close(co)), coroutine.status(co))
      """, prints: "false\tdead\n"),
    Case(
      "a task that catches its cancellation, and fails in its __close",
      """
      local task, time = require "reactor.task", require "reactor.time"
      local n = 0
      local t = task.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() error("in close", 0) end })
        while n < 1000 do n = n + 1 pcall(time.sleep, 100) end
      end)
      task.yield()
      t:cancel()
      print(pcall(t.join, t))
      """, prints: "false\tin close\n", says: ["luareact: in close"], code: 1),
  ]

  // MARK: The collector

  static let collector = [
    Case(
      "metatables that are weak tables",
      """
      local weak = setmetatable({ __newindex = {} }, { __mode = "v" })
      print(pcall(setmetatable, {}, weak))
      """,
      prints: "false\ta metatable cannot be a weak table (its own metatable has __mode)\n"),
    Case(
      "metatables of weak tables, replaced during a collection",
      """
      local big, weak = {}, {}
      for i = 1, 20000 do big[i] = { {} } end
      for i = 1, 200 do weak[i] = setmetatable({}, { __mode = "kv" }) end
      collectgarbage("incremental", 100, 100, 10)
      for round = 1, 20000 do
        setmetatable(weak[round % 200 + 1], { __mode = "kv", {} })
        assert(getmetatable(weak[round * 7 % 200 + 1]).__mode == "kv", "freed")
      end
      print "all there"
      """, prints: "all there\n"),
    Case(
      "finalizers that fail, yield and wait",
      """
      local socket = require("reactor.net").udp "127.0.0.1:0"
      for _, fn in ipairs {
        error, function() error {} end, function() error() end, function() local x = nil x() end,
        function() coroutine.yield() end, coroutine.yield, require("reactor.task").yield,
        function() error(setmetatable({}, { __tostring = function() error "again" end })) end,
        function() socket:recv() end,
      } do
        setmetatable({}, { __gc = fn })
      end
      collectgarbage()
      socket:close()
      print "still here"
      """, prints: "still here\n",
      says: ["'recv' cannot wait here: a finalizer (__gc) cannot be suspended"]),
    Case(
      "finalizers that run when the state is closed",
      """
      local net, task = require "reactor.net", require "reactor.task"
      kept = setmetatable({}, { __gc = function()
        task.spawn(error)
        net.listen "127.0.0.1:0"
        pcall(task.yield)
        print "last"
        error "lost"
      end })
      """, prints: "last\n", says: ["lost"]),
    Case(
      "a collector that is stopped, and tasks that go on",
      """
      collectgarbage "stop"
      collectgarbage "generational"
      local task = require "reactor.task"
      for _ = 1, 100 do
        task.spawn(function() for _ = 1, 10 do task.yield() end end)
      end
      print(collectgarbage "incremental")
      """, prints: "incremental\n"),
  ]
}
