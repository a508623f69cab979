-- How tasks share the thread: 128 operations a turn, errors included, fewer when they move many
-- bytes or take connections; the kernel is asked at least every 61 resumes, so that no loop of
-- yields keeps an event from being served.
local reactor, sys = require "reactor", require "reactor.sys"
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"

local listener <close> = assert(net.listen "127.0.0.1:0")

local function pair()
  local near = assert(net.connect(listener:address()))
  return near, assert(listener:accept())
end

--- Repeats `step` in a task and returns the most that `measure` grew in one turn of the loop.
local function most_in_a_turn(step, measure, turns)
  local busy = task.spawn(function()
    while true do step() end
  end)
  local most, last = 0, measure()
  local ends = reactor.metrics().turns + (turns or 20)
  while reactor.metrics().turns < ends do
    task.yield()
    local now = measure()
    most = math.max(most, now - last)
    last = now
  end
  busy:cancel()
  return most
end

-- Operations that succeed, fail and time out: each costs one of the 128
local closed, other = pair()
closed:close()
other:close()
local reset, there = pair()
there:option("linger", 0)
there:close()
while select(3, reset:write "x") ~= "EPIPE" do time.sleep(0.001) end
local near, far = pair()
local udp <close> = assert(net.udp "127.0.0.1:0")
local reg <close> = assert(reactor.register(assert(sys.dup(near:fd())), "rw"))
local done = task.spawn(function() end)
done:join()
local ended = assert(reactor.register(assert(sys.dup(near:fd())), "r"))
ended:deregister()

local operations = {
  ["read of a closed connection"] = function() return closed:read() end,
  ["write to a closed connection"] = function() return closed:write "x" end,
  ["write to a reset connection"] = function() return reset:write "x" end,
  ["read of a reset connection"] = function() return reset:read() end,
  ["read that times out"] = function() return near:read(1, 0) end,
  ["readline that times out"] = function() return near:readline(0) end,
  ["accept that times out"] = function() return listener:accept(0) end,
  ["recv that times out"] = function() return udp:recv(0) end,
  ["send of a datagram that is too long"] = function()
    return udp:send(("x"):rep(65536), "127.0.0.1:9")
  end,
  ["readiness that times out"] = function() return reg:readiness("r", 0) end,
  ["readiness that is there"] = function() return reg:writable() end,
  ["readiness of an ended registration"] = function() return ended:readable() end,
  ["write_io that fails"] = function() return reg:write_io(function() return nil, "no" end) end,
  ["join of an ended task"] = function() return done:join() end,
}
local names = {}
for name in pairs(operations) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  local count = 0
  local most = most_in_a_turn(function()
    operations[name]()
    count = count + 1
  end, function() return count end)
  assert(most == 128, ("%s: %d a turn"):format(name, most))
end
print(("%d kinds of operations: at most 128 a turn"):format(#names))

-- What moves bytes: 256 KiB a turn, and what one call more moves
local chunk = ("x"):rep(65536)
local moved = 0
local drain = task.spawn(function()
  while far:read() do end
end)
local most = most_in_a_turn(function() moved = moved + near:write(chunk) end,
  function() return moved end, 200)
print(("writes of 64 KiB: at most %d KiB a turn"):format(most // 1024))
assert(most <= 320 * 1024, most)
drain:cancel()
near:close()
far:close()

near, far = pair()
moved = 0
local source = task.spawn(function()
  while far:write(chunk) do end
end)
most = most_in_a_turn(function() moved = moved + #near:read() end, function() return moved end, 200)
print(("reads of 64 KiB: at most %d KiB a turn"):format(most // 1024))
assert(most > 64 * 1024 and most <= 320 * 1024, most)
source:cancel()
near:close()
far:close()

-- Connections that wait to be accepted: 16 a turn
local clients = {}
for i = 1, 200 do clients[i] = assert(net.connect(listener:address())) end
local taken = {}
most = most_in_a_turn(function() taken[#taken + 1] = assert(listener:accept()) end,
  function() return #taken end)
print(("accepts: at most %d a turn"):format(most))
assert(most == 16 and #taken == 200, most)
for i = 1, 200 do
  clients[i]:close()
  taken[i]:close()
end

-- However many tasks are ready, the kernel is asked after 61 of them
local resumes, last, longest = 0, 0, 0
local turns = reactor.metrics().turns
local workers = {}
for i = 1, 500 do
  workers[i] = task.spawn(function()
    while true do
      resumes = resumes + 1
      local now = reactor.metrics().turns
      if now ~= turns then
        longest = math.max(longest, resumes - 1 - last)
        turns, last = now, resumes - 1
      end
      task.yield()
    end
  end)
end
local ends = turns + 50
while reactor.metrics().turns < ends do task.yield() end
for _, worker in ipairs(workers) do worker:cancel() end
print(("resumes between two polls: at most %d"):format(longest))
assert(longest == 61, longest)

-- An event is served beside a task that does nothing but yield
near, far = pair()
local arrived, yields = false, 0
task.spawn(function() arrived = near:read() end)
task.yield()
far:write "x"
while not arrived do
  yields = yields + 1
  task.yield()
end
print(("yields until an event was served: %d"):format(yields))
assert(yields <= 2 * 61, yields)
near:close()
far:close()
