-- Standard input waits like any stream: the other tasks run. Runs this program again, in pipes.
local program = io.popen("readlink /proc/$PPID/exe"):read()
local script = os.tmpname()

--- What a script prints whose input is the output of a shell command.
local function run(input, source)
  local f <close> = assert(io.open(script, "w"))
  f:write(source)
  f:close()
  local command = ("(%s) | %s %s 2>&1"):format(input, program, script)
  local pipe <close> = assert(io.popen(command))
  return pipe:read("a")
end

-- In a shell, waits until the script of the run says `go()`
local go = os.tmpname()
local wait = ("until [ -s %s ]; do sleep 0.01; done; "):format(go)
local says_go = ("local function go() io.open(%q, 'w'):write('x'):close() end "):format(go)

-- Others run while one reads; every format, over pieces that come late
local pieces = "echo one; printf 12; sleep 0.1; echo '3 rest'; printf 'a\\nb'"
local got = run(wait .. pieces, says_go .. [[
  local task, time = require "reactor.task", require "reactor.time"
  local ticks = 0
  local ticker = task.spawn(function()
    while true do
      time.sleep(0.01)
      ticks = ticks + 1
      if ticks == 4 then go() end
    end
  end)
  print(io.read(), ticks > 3, io.read("n"), io.read("L"))
  for line in io.lines() do print("line " .. line) end
  print(io.read("a"), io.read(), io.stdin:read(0))
  ticker:cancel()
]])
assert(got == "one\ttrue\t123\t rest\n\nline a\nline b\n\tnil\tnil\n", got)

-- Two tasks share the lines; none is lost
got = run("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.01; done", [[
  local task = require "reactor.task"
  local lines = {}
  for _ = 1, 3 do
    task.spawn(function()
      for line in io.lines() do lines[#lines + 1] = line end
      if #lines == 8 then print(table.concat(lines)) os.exit() end
    end)
  end
]])
assert(got == "12345678\n", got)

-- An earlier timeout of something else does not end a read that waits twice
got = run("echo one; sleep 0.05; printf ab; sleep 0.2; echo c", [[
  local listener = assert(require("reactor.net").listen "127.0.0.1:0")
  io.read()
  assert(select(2, listener:accept(0.1)) == "timeout")
  print(io.read())
]])
assert(got == "abc\n", got)

-- The end, and a file as input
assert(run("true", "print(io.read(), io.read('a'), io.read(0))") == "nil\t\tnil\n")
assert(run("true", "print(#io.read('a')); for _ in io.lines() do print 'no' end") == "0\n")
assert(run("head -c 300000 /dev/zero", "print(#io.read('a'))") == "300000\n")
assert(run("head -c 300000 /dev/zero", "print(#io.read(200000), #io.read(200000))")
  == "200000\t100000\n")

-- A wait where none can be says so at once, although bytes are there
got = run("echo x", "print(pcall(function() table.sort({ 1, 2 }, function() io.read() end) end))")
assert(got:find("'read' cannot wait here: table.sort cannot be suspended", 1, true), got)

-- A cancelled reader leaves the bytes to the next
assert(os.remove(go))
got = run(wait .. "echo kept", says_go .. [[
  local task = require "reactor.task"
  local reader = task.spawn(function() print(pcall(io.read)) end)
  task.yield()
  assert(reader:status() == "waiting")
  reader:cancel()
  task.yield()
  go()
  print(io.read())
]])
assert(got == "false\tcancelled\nkept\n", got)

-- Chunks from standard input
assert(run("echo 'return 1 + 1'", "print(dofile())") == "2\n")
assert(os.remove(script) and os.remove(go))
