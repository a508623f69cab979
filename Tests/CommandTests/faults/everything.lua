-- Uses every kind of system call, and takes every failure for an answer: a step that fails is
-- skipped. Afterwards nothing may be left open. `leaks`, an argument, says that a failed close
-- was one that did not happen.
local reactor, sys, net = require "reactor", require "reactor.sys", require "reactor.net"
local task, time = require "reactor.task", require "reactor.time"

local function lowest()
  local fd = sys.dup(0) or sys.dup(0)
  if fd then sys.close(fd) end
  return fd
end

local function close(...)
  for _, fd in ipairs { ... } do sys.close(fd) end
end

local function tcp()
  local listener <close> = net.listen "127.0.0.1:0"
  local address = listener and listener:address()
  if not address then return end
  local server = task.spawn(net.serve, listener, function(conn)
    local line = conn:readline(1)
    if line then conn:write(line .. "\n", 1) end
    conn:shutdown "w"
  end)
  for _ = 1, 3 do
    local conn <close> = net.connect(address, { timeout = 0.3 })
    if conn and conn:write("hello\n", 0.3) then
      conn:option("keepalive", 1)
      conn:readline(0.3)
      conn:read(10, 0.3)
      conn:peer()
    end
  end
  listener:close()
  server:join()
end

local function unix()
  local listener <close> = net.listen("unix:@luareact-faults-" .. math.random(1 << 60))
  local address = listener and listener:address()
  if not address then return end
  local conn <close> = net.connect(address, { timeout = 0.3 })
  local peer <close> = listener:accept(0.3)
  if conn and peer then
    conn:write(("x"):rep(1000), 0.3)
    peer:readn(1000, 0.3)
  end
end

local function datagrams()
  local here <close> = net.udp "127.0.0.1:0"
  local there <close> = net.udp "127.0.0.1:0"
  local address = here and there and there:address()
  if not address then return end
  here:send("one", address, 0.3)
  local _, from = there:recv(0.3)
  if from then there:send("two", from, 0.3) end
  here:connect(address)
  here:send("three", nil, 0.3)
end

local function registrations()
  local here, there = sys.socketpair()
  if not here then return end
  local passed = sys.sendmsg(there, "x", nil, nil, there)
  local reg <close> = reactor.register(here, "rwp")
  if reg and passed then
    reg:readable(0.3)
    local _, _, list = sys.recvmsg(here, 10)
    close(table.unpack(list or {}))
    sys.send(there, "more")
    reg:readable(0.3)
    sys.recv(here)
    reg:deregister()
  end
  close(here, there)
end

local function pipes()
  local r, w = sys.pipe()
  if not r then return end
  local reg <close> = reactor.register(r, "r")
  sys.write(w, "through")
  if reg and reg:readable(0.3) then sys.read(r) end
  close(r, w)
end

local function files()
  local name = os.tmpname()
  local file <close> = io.open(name, "w+")
  if file and file:write "line one\nline two\n" then
    file:flush()
    file:seek "set"
    file:read "l"
  end
  os.rename(name, name .. ".moved")
  os.remove(name)
  os.remove(name .. ".moved")
end

print(io.read "l") -- registers standard input
local before, registrations_before = lowest(), reactor.metrics().registrations
for _ = 1, 3 do
  for _, step in ipairs { tcp, unix, datagrams, registrations, pipes, files } do
    -- A step may raise: without a temporary name, for one.
    local ok, why = pcall(step)
    if not ok then print(why) end
  end
  net.resolve("localhost:80", 1)
  time.sleep(0.001)
end
collectgarbage()
time.sleep(0)
local after = lowest()
if arg[1] ~= "leaks" and before and after then
  assert(after == before, "descriptors are left: " .. before .. " " .. after)
end
local left = reactor.metrics().registrations - registrations_before
assert(left == 0, left .. " registrations are left")
print "done"
