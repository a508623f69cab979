-- A wait ends by what comes first: cancelled and then closed, it raises; closed and then cancelled,
-- it says so. Either way before the task has run again.
local reactor, sys = require "reactor", require "reactor.sys"
local net, task = require "reactor.net", require "reactor.task"

local listener = assert(net.listen "127.0.0.1:0")

local function connection()
  local near = assert(net.connect(listener:address()))
  local far = assert(listener:accept())
  return near, function()
    near:close()
    far:close()
  end
end

local function registration()
  local a, b = assert(sys.socketpair())
  local reg = assert(reactor.register(a, "r"))
  return reg, function()
    reg:deregister()
    sys.close(a)
    sys.close(b)
  end
end

local function closing(handle) return handle, function() handle:close() end end

local waits = {
  read = function()
    local near, close = connection()
    return function() return near:read() end, close
  end,
  readn = function()
    local near, close = connection()
    return function() return near:readn(5) end, close
  end,
  ["read with a timeout"] = function()
    local near, close = connection()
    return function() return near:read(1, 60) end, close
  end,
  write = function()
    local near, close = connection()
    return function() return near:write(("x"):rep(64 << 20)) end, close
  end,
  accept = function()
    local other, close = closing(assert(net.listen "127.0.0.1:0"))
    return function() return other:accept() end, close
  end,
  recv = function()
    local socket, close = closing(assert(net.udp "127.0.0.1:0"))
    return function() return socket:recv() end, close
  end,
  readable = function()
    local reg, close = registration()
    return function() return reg:readable() end, close
  end,
  read_io = function()
    local reg, close = registration()
    return function() return reg:read_io(sys.read, reg:fd()) end, close
  end,
}

for name, make in pairs(waits) do
  for _, cancels_first in ipairs { true, false } do
    local wait, close = make()
    local result
    local waiter = task.spawn(function() result = table.pack(pcall(wait)) end)
    task.yield()
    assert(waiter:status() == "waiting", name)
    if cancels_first then
      waiter:cancel()
      close()
    else
      close()
      waiter:cancel()
    end
    while not result do task.yield() end
    if cancels_first then
      assert(not result[1] and task.is_cancelled(result[2]), name .. ": " .. tostring(result[3]))
    else
      assert(result[1] and result[2] == nil and result[3] == "closed",
        name .. ": " .. tostring(result[2]))
    end
  end
end
listener:close()
