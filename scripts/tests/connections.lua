-- Connections that end in every way leave nothing behind: no descriptor, no slot of the reactor, no
-- task, and no memory.
--
--   connections.lua [COUNT]   how many; a million in `make soak`
--
-- TCP goes to sixteen addresses of the loopback network, so that the ports of those that were
-- closed cleanly last while the kernel keeps them (TIME_WAIT); every eighth is a Unix socket.
local reactor = require "reactor"
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"
local process = require "support.process"

local COUNT = tonumber(arg[1] or 20000)
local CLIENTS = 128
local GROWTH = 2 << 20

local listeners, addresses = {}, {}
for i = 1, 16 do
  listeners[i] = assert(net.listen(("127.0.0.%d:0"):format(i)))
end
listeners[17] = assert(net.listen("unix:@luareact-connections-" .. math.random(1 << 40)))
for i, listener in ipairs(listeners) do addresses[i] = listener:address() end

local served, server_ends = 0, {}

--- The other side: what it does is the first byte's to say.
local function handler(conn)
  served = served + 1
  local what, err = conn:read(1, 10)
  local outcome = what or err
  if what == "c" then -- the client closes
    conn:write "hello"
    local _, e = conn:read()
    outcome = e
  elseif what == "s" then -- we close
    conn:write "hello"
  elseif what == "r" then -- we reset
    conn:option("linger", 0)
  elseif what == "t" then -- a wait of ours runs out
    local _, e = conn:read(1, 0.001)
    outcome = e
  elseif what == "q" then -- the client is quiet for longer than it says
    local _, e = conn:read(1, 10)
    outcome = e
  end
  server_ends[outcome] = (server_ends[outcome] or 0) + 1
end

local function reset(conn)
  conn:option("linger", 0)
  conn:close()
end

--- The ways in which a client can end a connection.
local ways = {
  function(conn) -- a clean end of ours
    conn:write "c"
    assert(conn:readn(5, 10) == "hello")
  end,
  function(conn) -- a clean end of theirs
    conn:write "s"
    assert(conn:readn(5, 10) == "hello")
    assert(select(2, conn:read(1, 10)) == "eof")
  end,
  function(conn) -- a reset of ours, with an answer under way
    conn:write "c"
    reset(conn)
  end,
  function(conn) -- a reset of theirs
    conn:write "r"
    local data, err = conn:read(1, 10)
    assert(data == nil and (err == "connection reset by peer" or err == "eof"), err)
  end,
  function(conn) -- their timeout
    conn:write "t"
    assert(select(2, conn:read(1, 10)) == "eof")
  end,
  function(conn) -- a timeout of ours
    conn:write "q"
    assert(select(2, conn:read(1, 0.001)) == "timeout")
  end,
  reset, -- before a byte is sent, perhaps before it is accepted
}

local function client(first, last)
  for i = first, last, CLIENTS do
    local address = addresses[i % 8 == 0 and 17 or i % 16 + 1]
    local conn <close>, err = net.connect(address, { timeout = 30 })
    if not conn then error(("connection %d: %s"):format(i, err)) end
    ways[i % #ways + 1](conn)
  end
end

local function run(first, last)
  task.scope(function()
    for i = 0, CLIENTS - 1 do task.spawn(client, first + i, last) end
  end)
  -- The last handlers, and connections that wait for their peer's end
  local now
  repeat
    time.sleep(0.001)
    now = reactor.metrics()
  until now.tasks <= #listeners + 1 and now.lingering == 0
  collectgarbage()
  collectgarbage()
end

local servers = {}
for i, listener in ipairs(listeners) do servers[i] = task.spawn(net.serve, listener, handler) end

-- The pools of memory grow to what the collector lets garbage grow to. A short run would end
-- before that; it has garbage collected sooner.
local warm = COUNT // 5
if COUNT < 200000 then collectgarbage("incremental", 150) end
run(1, warm)
local before, memory = reactor.metrics(), process.resident()
local descriptors = process.descriptors()
local began = time.mono()
run(warm + 1, COUNT)
local seconds = time.mono() - began
local after, growth = reactor.metrics(), process.resident() - memory

print(("%d connections: %d served, %d errors of accept, %.0f a second"):format(
  COUNT, served, after.accept_errors, (COUNT - warm) / seconds))
local ends = {}
for outcome, count in pairs(server_ends) do ends[#ends + 1] = outcome .. " " .. count end
table.sort(ends)
print("the server saw: " .. table.concat(ends, ", "))
print(("left behind: %d descriptors, %d slots, %d tasks, %d handles"):format(
  process.descriptors() - descriptors, after.registrations - before.registrations,
  after.tasks - before.tasks, after.handles - before.handles))
print(("grown by: %d KiB resident, %d KiB of Lua"):format(
  growth // 1024, (after.lua_bytes - before.lua_bytes) // 1024))
assert(process.descriptors() == descriptors)
for _, name in ipairs { "registrations", "tasks", "handles" } do
  assert(after[name] == before[name], name)
end
assert(after.registered - before.registered == after.deregistered - before.deregistered)
assert(growth < GROWTH, growth)

for i, listener in ipairs(listeners) do
  listener:close()
  servers[i]:join()
end
assert(reactor.metrics().registrations == 0)
