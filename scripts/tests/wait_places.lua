-- Where a call may wait, and where it cannot: then the error names what stands in between.
local task, time = require "reactor.task", require "reactor.time"

--- Waits, so that another task has run when it returns, and returns its arguments.
local function wait(...)
  local ran = false
  task.spawn(function() ran = true end)
  time.sleep(0.001)
  assert(ran, "nothing ran during the wait")
  return ...
end

local function meta(name, fn) return setmetatable({}, { [name] = fn }) end

-- Calls that pass a wait on

assert(select(2, pcall(wait, 1)) == 1)
assert(select(2, xpcall(wait, debug.traceback, 2)) == 2)
assert(select(2, pcall(pcall, pcall, function() return wait(3) end)) == true)
local _, e = pcall(function() wait() error("after a wait", 0) end)
assert(e == "after a wait")
_, e = xpcall(function() wait() error("x", 0) end, function(m) return m .. "y" end)
assert(e == "xy")

-- Metamethods

assert(meta("__index", function(_, k) return wait(k) end).key == "key")
local set
meta("__newindex", function(_, k, v) set = wait(k) .. v end).a = "b"
assert(set == "ab")
assert(meta("__call", function(_, x) return wait(x) end)(5) == 5)
assert(meta("__add", function(_, x) return wait(x) end) + 6 == 6)
assert(meta("__concat", function(_, x) return wait(x) end) .. "s" == "s")
assert(#meta("__len", function() return wait(7) end) == 7)
assert(-meta("__unm", function() return wait(8) end) == 8)
local function compare() return wait(true) end
local comparing = { __eq = compare, __lt = compare, __le = compare }
local x, y = setmetatable({}, comparing), setmetatable({}, comparing)
assert(x == y and x < y and x <= y)

-- for: iterators, and the end of the closing value

local seen = 0
for i in function(_, i) wait() i = (i or 0) + 1 return i < 4 and i or nil end do seen = seen + i end
assert(seen == 6)
for k, v in pairs(meta("__pairs", function(t) wait() return next, { k = "v" } end)) do
  assert(k == "k" and v == "v")
end
local closed = {}
local function closing(name)
  return meta("__close", function(_, err) wait() closed[#closed + 1] = name .. tostring(err) end)
end
for _ in function(_, i) return not i or nil end, nil, nil, closing "for " do break end
do local c <close> = closing "block " end
_, e = pcall(function()
  local c <close> = closing "error "
  error("unwound", 0)
end)
assert(e == "unwound")
local function returns() local c <close> = closing "return " return wait(9) end
assert(returns() == 9)
assert(table.concat(closed, ", ") == "for nil, block nil, error unwound, return nil")

-- Generators, three deep, with an error after a wait in the innermost

local function generator(depth)
  return coroutine.wrap(function(...)
    assert(... == "in")
    if depth == 0 then
      for i = 1, 3 do coroutine.yield(wait(i)) end
      error("innermost", 0)
    end
    local inner = generator(depth - 1)
    for i = 1, 3 do coroutine.yield(inner("in") + 0) wait(i) end
    inner()
  end)
end
local outer = generator(2)
local got = { outer("in"), (outer()), (outer()) }
assert(table.concat(got, " ") == "1 2 3", table.concat(got, " "))
assert(select(2, pcall(outer)):find("innermost$"))
local co = coroutine.create(function(a) return wait(a + coroutine.yield(wait(a))) end)
assert(select(2, coroutine.resume(co, 1)) == 1 and select(2, coroutine.resume(co, 2)) == 3)

-- A module's body

package.preload.waits = function(name) return { name = wait(name) } end
assert(require("waits").name == "waits")

-- What cannot be suspended says so, at once and by its name

local function refused(what, fn, ...)
  local ok, why = pcall(fn, ...)
  local expected = "'sleep' cannot wait here: " .. what .. " cannot be suspended"
  assert(not ok and tostring(why):find(expected, 1, true), what .. ": " .. tostring(why))
end
local function sleep() time.sleep(0) end

refused("table.sort", function() table.sort({ 2, 1 }, function() sleep() return false end) end)
refused("table.sort", table.sort, { 2, 1 }, sleep)
refused("string.gsub", string.gsub, "x", "x", sleep)
refused("string.gsub", function() return ("x"):gsub(".", function() sleep() end) end)
refused("load", function() assert(load(sleep)) end)
refused("load", function() assert(load(function() return sleep() end)) end)
refused("string.format", string.format, "%s", meta("__tostring", sleep))
refused("tostring", tostring, meta("__tostring", sleep))
refused("print", print, meta("__tostring", sleep))
refused("table.concat", table.concat, meta("__index", sleep), "", 1, 2)
refused("table.unpack", table.unpack, meta("__index", sleep), 1, 2)
refused("table.insert", table.insert, meta("__len", sleep), 1)
refused("'for iterator'", function()
  local sort = setmetatable({}, { __index = function() sleep() end })
  for i in ipairs(sort) do return i end
end)

-- … through pcall, and through coroutines that it runs

refused("table.sort", function()
  table.sort({ 2, 1 }, function()
    local ok, why = pcall(sleep)
    error(why, 0)
  end)
end)
refused("string.gsub", function()
  return ("x"):gsub(".", function() coroutine.wrap(sleep)() end)
end)
refused("table.sort", function()
  table.sort({ 2, 1 }, function()
    local inner = coroutine.wrap(function() coroutine.wrap(function() sleep() end)() end)
    inner()
  end)
end)

-- … although it would not have had to wait: what works once works always

local net = require "reactor.net"
local listener <close> = assert(net.listen "127.0.0.1:0")
local conn <close> = assert(net.connect(listener:address()))
conn:unread("there")
local ok, why = pcall(table.sort, { 2, 1 }, function() conn:read(1) end)
assert(not ok and why:find("'read' cannot wait here: table.sort cannot be suspended", 1, true), why)
assert(conn:read() == "there")

-- Finalizers

local finalized
setmetatable({}, { __gc = function() finalized = select(2, pcall(time.sleep, 0)) end })
collectgarbage()
assert(finalized:find("'sleep' cannot wait here: a finalizer (__gc) cannot be suspended", 1, true),
  finalized)
finalized = nil
setmetatable({}, { __gc = function()
  coroutine.wrap(function() finalized = select(2, pcall(time.sleep, 0)) end)()
end })
collectgarbage()
assert(finalized:find("a finalizer (__gc) cannot be suspended", 1, true), finalized)

-- __close handlers that no task runs, as in stock Lua

co = coroutine.create(function()
  local c <close> = meta("__close", sleep)
  coroutine.yield()
end)
coroutine.resume(co)
ok, why = coroutine.close(co)
assert(not ok and why:find("'sleep' cannot wait in a coroutine that is being closed", 1, true), why)
ok, why = pcall(coroutine.wrap(function()
  local c <close> = meta("__close", sleep)
  error("lost", 0)
end))
assert(not ok and why:find("'sleep' cannot wait in a coroutine that is being closed", 1, true), why)

-- After all that the task still waits as before
assert(wait("end") == "end")
