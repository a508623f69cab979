-- Errors of misuse name the function as the manual does, and point at the line of the script that
-- called: not at a line of a built-in module, and not at "?".
local reactor = require "reactor"
local net, sys, task, time = require "reactor.net", require "reactor.sys", require "reactor.task",
  require "reactor.time"
io.stderr:setvbuf "no"

local listener <close> = assert(net.listen "127.0.0.1:0")
local conn <close> = assert(net.connect(listener:address()))
local peer <close> = assert(listener:accept())
local udp <close> = assert(net.udp "127.0.0.1:0")
local r, w = sys.pipe()
local registration <close> = assert(reactor.register(r, "r"))
local file <close> = assert(io.tmpfile())
local this = task.spawn(time.sleep, 60)

local function nothing() end
local here = debug.getinfo(1, "S").short_src
local count = 0

--- Closes what a call has made all the same.
local ours = {}
local function finish(made)
  if type(made) == "userdata" and not ours[made] and made.close then made:close() end
end

local function line() return debug.getinfo(2, "l").currentline end

--- Calls fn(...) in the two ways in which scripts do; an error has the line and the name.
local function try(name, fn, ...)
  local calling
  local function call(...) calling = line() finish((fn(...))) end
  for _, way in ipairs { call, fn } do
    calling = nil
    local at, ok, why = line(), pcall(way, ...)
    if ok then finish(why) end
    -- As in stock Lua, dofile passes on what loading says.
    if not ok and type(why) == "string" and not why:find "^cannot open" then
      count = count + 1
      local where = ("%s:%d: "):format(here, calling or at)
      assert(why:sub(1, #where) == where, ("%s: '%s' is not at %s"):format(name, why, where))
      assert(not why:find("'?'", 1, true) and not why:find("[reactor", 1, true), why)
      local named = why:match "bad argument #%d+ to '([^']*)'" or why:match "^calling '([^']*)'"
      assert(not named or named == name, ("%s is called %s: %s"):format(name, named, why))
      assert(named or not why:find("attempt to", 1, true), ("%s: %s"):format(name, why))
    end
  end
end

for _, handle in ipairs { listener, conn, udp, registration, file, this, io.stdin, io.stdout } do
  ours[handle] = true
end
local values = {
  0 / 0, -1, 1.5, 2 ^ 63, "x", "1", true, {}, nothing, file, this, conn, registration,
}

--- Everything that ends at once or raises, with one wrong argument in each place.
local function try_all(name, fn, ...)
  local first = table.pack(...)
  try(name, fn)
  try(name, fn, nil)
  for _, value in ipairs(values) do
    for place = 1, 4 do
      local arguments = table.move(first, 1, first.n, 1, {})
      local last = math.max(place, first.n)
      arguments[place] = value
      task.timeout(0.001, try, name, fn, table.unpack(arguments, 1, last))
    end
  end
end

-- Functions, each with arguments that fit

local unknown = { no_such_option = 1 }
for _, case in ipairs {
  { "register", reactor.register, r, "r" },
  { "listen", net.listen, "127.0.0.1:0", {} }, { "connect", net.connect, listener:address(), {} },
  { "udp", net.udp, "127.0.0.1:0", {} }, { "resolve", net.resolve, "127.0.0.1:1", 1 },
  { "serve", net.serve, listener, nothing },
  { "sleep", time.sleep, 0 },
  { "spawn", task.spawn, nothing }, { "scope", task.scope, nothing },
  { "timeout", task.timeout, 1, nothing, 1 }, { "shield", task.shield, 1, nothing, 1 },
  { "type", io.type, 1 }, { "lines", io.lines, "/dev/null" }, { "input", io.input, io.stdin },
  { "output", io.output, io.stdout }, { "open", io.open, "/dev/null", "r" },
  { "read", io.read, "l" }, { "write", io.write, "" },
  { "getenv", os.getenv, "HOME" }, { "remove", os.remove, "" }, { "rename", os.rename, "", "" },
  { "execute", os.execute }, { "time", os.time, {} }, { "date", os.date, "%c", 1 },
  { "randomseed", math.randomseed, 1, 2 },
  { "require", require, "string" }, { "loadfile", loadfile, "/dev/null", "t" },
  { "dofile", dofile, "/dev/null" }, { "searchpath", package.searchpath, "x", "?", ".", "/" },
} do
  if case[1] ~= "read" and case[1] ~= "write" and case[1] ~= "execute" then
    try_all(table.unpack(case))
  end
  try(case[1], case[2], {}, unknown)
  if case[1] ~= "execute" then try(case[1], case[2], "127.0.0.1:1", unknown) end
end
for name, fn in pairs(sys) do
  if type(fn) == "function" then try(name, fn, {}, {}) try(name, fn, "x", "x", "x") end
end

-- Options that are wrong

for _, options in ipairs {
  { timeout = "1" }, { timeout = 0 / 0 }, { bind = 1 }, { backlog = 1.5 }, { reuseport = 1 },
  { peer = true }, unknown, { [1] = 1 },
} do
  for name, fn in pairs { listen = net.listen, connect = net.connect, udp = net.udp } do
    local ok, why = pcall(fn, listener:address(), options)
    if not ok then assert(why:find("option '[%w_]+' to '" .. name .. "'"), why) end
  end
  try("spawn", task.spawn, options, nothing)
end

-- Methods

for class, handle in pairs {
  connection = conn, listener = listener, udp = udp, registration = registration, file = file,
  task = this,
} do
  for name, fn in pairs(debug.getmetatable(handle).__index) do
    local inner = name == "connect_finish" or name == "resolve_finish"
    if type(fn) == "function" and not inner and name ~= "close" and name ~= "deregister"
      and name ~= "cancel" then
      try_all(name, fn, handle)
    end
  end
end
assert(count > 1000, count)

-- What the messages say

local function says(expected, fn, ...)
  local ok, why = pcall(fn, ...)
  assert(not ok and why:find(expected, 1, true), tostring(why))
end
says("bad argument #1 to 'read' (connection expected, got nil)", conn.read, nil)
says("bad argument #2 to 'read' (number expected, got string)", conn.read, conn, "x")
says("bad argument #1 to 'read' (number expected, got string)", function() conn:read "x" end)
says("calling 'read' on bad self (connection expected, got table)", function()
  local wrong = { read = conn.read }
  wrong:read()
end)

this:cancel()
this:result()
registration:deregister()
sys.close(r)
sys.close(w)
