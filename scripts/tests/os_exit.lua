-- os.exit ends the program from wherever it is called. Runs this program again.
local program = io.popen("readlink /proc/$PPID/exe"):read()
local script, output = os.tmpname(), os.tmpname()

local function run(source, expected, text)
  local f <close> = assert(io.open(script, "w"))
  f:write(source)
  f:close()
  local _, _, code = os.execute(("%s %s >%s 2>&1"):format(program, script, output))
  local out <close> = assert(io.open(output))
  local got = out:read("a")
  assert(code == expected and got == (text or ""), ("%s\n%s\n%s"):format(source, code, got))
end

run("os.exit()", 0)
run("os.exit(true)", 0)
run("os.exit(true, true)", 0)
run("os.exit(false)", 1)
run("os.exit(3)", 3)
run("os.exit(4.0)", 4)
run("print(pcall(os.exit, {}) or pcall(os.exit, 'x'))", 0, "false\n")

-- The caller never goes on, whatever it catches
run("io.write 'a' pcall(os.exit, 3) print 'no'", 3, "a")
run("coroutine.wrap(function() pcall(os.exit, 3) print 'no' end)() print 'no'", 3)
run("pcall(table.sort, { 1, 2 }, function() pcall(os.exit, 3) print 'no' end) print 'no'", 3)
run("setmetatable({}, { __gc = function() os.exit(3) end }) collectgarbage() print 'no'", 3)
run("local t = setmetatable({}, { __index = function() os.exit(3) end }) print(t.x)", 3)

-- The others are cancelled: what they clean up is done, what refuses to end is ended
run([[
  local task, time = require "reactor.task", require "reactor.time"
  task.spawn(function()
    local _ <close> = setmetatable({}, { __close = function() print "closed" end })
    time.sleep(100)
    print "no"
  end)
  task.spawn(function()
    while true do pcall(coroutine.wrap(function() while true do pcall(time.sleep, 100) end end)) end
  end)
  task.spawn(function()
    time.sleep(0.01)
    os.exit(5)
  end)
  time.sleep(100)
  print "no"
]], 5, "closed\n")

-- The first code counts
run([[
  local task, time = require "reactor.task", require "reactor.time"
  task.spawn(function()
    pcall(time.sleep, 100)
    os.exit(7)
  end)
  time.sleep(0)
  os.exit(6)
]], 6)

-- Files are complete, at every kind of end
local name = os.tmpname()
for source, code in pairs { ["os.exit(2)"] = 2, ["error('x', 0)"] = 1, ["return"] = 0 } do
  local f <close> = assert(io.open(script, "w"))
  f:write(("local f = io.open(%q, 'w') f:write(%q) "):format(name, source), source)
  f:close()
  assert(select(3, os.execute(("%s %s 2>/dev/null"):format(program, script))) == code)
  assert(io.open(name):read("a") == source)
end
assert(os.remove(name) and os.remove(script) and os.remove(output))
