-- What is printed keeps its order, over print, io and errors. Runs this program again, in pipes.
local program = io.popen("readlink /proc/$PPID/exe"):read()
local script = os.tmpname()

local function run(source, rest)
  local f <close> = assert(io.open(script, "w"))
  f:write(source)
  f:close()
  local pipe <close> = assert(io.popen(("%s %s %s"):format(program, script, rest or "2>&1")))
  return pipe:read("a")
end

assert(run [[
  print("a", 1, nil)
  io.write("b", 2, "\n")
  io.stderr:write("c\n")
  io.stdout:write("d"):write("\n")
  os.execute("echo e")
  io.popen("echo f >&2"):close()
  print "g"
]] == "a\t1\tnil\nb2\nc\nd\ne\nf\ng\n")

-- A slow reader stops the writer, and nobody else
local slow = "2>/dev/null | (sleep 0.3; wc -c)"
assert(tonumber(run([[
  local task, time = require "reactor.task", require "reactor.time"
  local ticks = 0
  local ticker = task.spawn(function()
    while true do
      time.sleep(0.01)
      ticks = ticks + 1
    end
  end)
  for _ = 1, 30 do print(("x"):rep(99999)) end
  assert(ticks > 3)
  ticker:cancel()
]], slow)) == 3000000)
assert(tonumber(run("print(('x'):rep(2999999)) os.exit(1)", slow)) == 3000000)

-- A reader that leaves
assert(run("for _ = 1, 9 do io.write(('x'):rep(99999)) end print(io.write('y'))",
  "2>&1 >/dev/full") == "")
assert(run([[
  local ok, text, number
  repeat ok, text, number = io.write(("x"):rep(99999)) until not ok
  io.stderr:write(text, " ", number, "\n")
]], "2>&1 >/dev/full") == "No space left on device 28\n")
assert(os.remove(script))
