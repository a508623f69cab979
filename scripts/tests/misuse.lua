-- Every method of every class of handles, called in every wrong way: on nothing, on other types,
-- on handles of another class, on closed ones, on ones whose descriptor is gone, and with all kinds
-- of arguments. What is wrong raises an error with a text; everything else answers something.
local net, sys, task, time = require "reactor.net", require "reactor.sys", require "reactor.task",
  require "reactor.time"
local reactor = require "reactor"
io.stderr:setvbuf "no"

local listener = assert(net.listen "127.0.0.1:0")

--- A handle of each class, and what closes what it needs.
local make = {
  connection = function()
    local conn = assert(net.connect(listener:address()))
    assert(listener:accept()):close()
    return conn
  end,
  listener = function() return assert(net.listen "127.0.0.1:0") end,
  ["UDP socket"] = function() return assert(net.udp "127.0.0.1:0") end,
  registration = function()
    local r, w = sys.pipe()
    return assert(reactor.register(r, "r")), function() sys.close(r) sys.close(w) end
  end,
  ["FILE*"] = function() return assert(io.tmpfile()) end,
  task = function() return task.spawn(task.yield) end,
}

local classes, methods, samples = {}, {}, {}
for class, new in pairs(make) do
  classes[#classes + 1] = class
  local handle, done = new()
  local metatable = debug.getmetatable(handle)
  assert(metatable.__name == class, metatable.__name)
  assert(getmetatable(handle) == "a handle's metatable is protected")
  assert(not pcall(setmetatable, handle, {}))
  methods[class] = {}
  for name, fn in pairs(metatable.__index) do
    if type(fn) == "function" then table.insert(methods[class], name) end
  end
  table.sort(methods[class])
  assert(#methods[class] >= 3, class)
  samples[class] = handle
  if done then samples[class .. " end"] = done end
end
table.sort(classes)

--- Calls `fn` in a task, which is cancelled if it waits. Anything but a clean error or a result
--- ends this program.
local function try(what, fn, ...)
  local t = task.spawn(function(...) return pcall(fn, ...) end, ...)
  time.sleep(0)
  t:cancel()
  local results = table.pack(pcall(t.join, t))
  local ok, why = results[2], results[3]
  if not results[1] then ok, why = false, results[2] end
  if not ok and why ~= task.Cancelled then
    assert(type(why) == "string", what .. " raised a " .. type(why))
  end
  return ok, why
end

local function method_of(handle, name) return debug.getmetatable(handle).__index[name] end
local function is_native(fn) return debug.getinfo(fn, "S").what == "C" end

-- Wrong selves

local others = { true, 1, "text", {}, print, coroutine.create(print) }
for _, class in ipairs(classes) do
  for _, name in ipairs(methods[class]) do
    local fn = method_of(samples[class], name)
    local function check(what, ...)
      local ok, why = try(class .. ":" .. name .. " of " .. what, fn, ...)
      if ok and type(why) == "function" then ok, why = try(name, why) end  -- an iterator
      assert(not ok, class .. ":" .. name .. " takes " .. what)
      if is_native(fn) then
        local wanted = "bad argument #1 to '[^']*' %%(%s expected, got "
        assert(why:find(wanted:format((class:gsub("%p", "%%%0")))), why)
      end
    end
    check "nothing"
    check("nil", nil, 1, 2)
    for _, other in ipairs(others) do check(type(other), other, "x", 1, 1) end
    for _, other in ipairs(classes) do
      if other ~= class then check(other, samples[other], "x", 1, 1) end
    end
  end
end

-- Closed handles, and all kinds of arguments

local arguments = {
  false, true, 0, 1, -1, 1.5, 2 ^ 53, 2 ^ 63, -2 ^ 63, math.mininteger, math.maxinteger,
  math.huge, -math.huge, 0 / 0, "", "x", "w", "0", "\0", ("long"):rep(3000), {}, print,
  coroutine.create(print), io.stdout, task.spawn(task.yield),
}
local function try_all(class, name, handle)
  local fn = method_of(handle, name)
  local what = class .. ":" .. name
  try(what, fn, handle)
  for _, value in ipairs(arguments) do
    try(what, fn, handle, value)
    try(what, fn, handle, "x", value)
    try(what, fn, handle, 1, value)
    try(what, fn, handle, "x", 1, value)
    try(what, fn, handle, value, value, value, value, value, value)
  end
  local ok, why = try(what, fn, handle, table.unpack({}, 1, 200))
  assert(ok or type(why) == "string" or why == task.Cancelled)
  assert(type(tostring(handle)) == "string")
end

for _, class in ipairs(classes) do
  for _, name in ipairs(methods[class]) do
    local handle, done = make[class]()
    if not name:find "close" and name ~= "deregister" then try_all(class, name, handle) end
    if class == "task" then pcall(handle.join, handle) end
    if handle.close then handle:close() end
    if handle.deregister then handle:deregister() end
    if done then done() end
    try_all(class, name, handle)
  end
end

-- Closing again is no error, except where stock Lua says so

for _, class in ipairs(classes) do
  local handle, done = make[class]()
  local close = handle.close or handle.deregister
  if close then
    assert(close(handle))
    local ok, answer = pcall(close, handle)
    if class == "FILE*" then assert(not ok) else assert(ok and answer == false, class) end
    debug.getmetatable(handle).__close(handle)
    debug.getmetatable(handle).__gc(handle)
    debug.getmetatable(handle).__gc(handle)
    -- After its finalizer a handle is none any more
    ok, answer = pcall(close, handle)
    assert(not ok and answer:find("expected, got", 1, true), answer)
  end
  if done then done() end
end

-- A descriptor that was closed behind the back of its handle

for _, class in ipairs { "connection", "listener", "UDP socket" } do
  for _, name in ipairs(methods[class]) do
    local handle = make[class]()
    assert(sys.close(handle:fd()))
    if not name:find "close" then try_all(class, name, handle) end
    handle:close()
    try_all(class, name, handle)
  end
end

-- The raw verbs

for name, fn in pairs(sys) do
  if type(fn) == "function" and not ({ close = 1, read = 1, recv = 1, pipe = 1 })[name] then
    for _, value in ipairs(arguments) do
      if value ~= 0 and value ~= 1 and value ~= "0" then
        local made = table.pack(try(name, fn, value, value, value, value))
        if made[1] and math.type(made[2]) == "integer" and name ~= "isatty" then
          error(name .. " made a descriptor of nonsense")
        end
      end
    end
  end
end
for _, fn in ipairs { sys.read, sys.recv, sys.close } do
  for _, value in ipairs(arguments) do
    if value ~= 0 and value ~= 1 and value ~= "0" then try("verb", fn, value, value, value) end
  end
end

for _, class in ipairs(classes) do
  local handle = samples[class]
  local close = handle.close or handle.deregister
  if close then close(handle) end
  if samples[class .. " end"] then samples[class .. " end"]() end
end
listener:close()
assert(reactor.metrics().registrations == 0, reactor.metrics().registrations)
