-- Registrations: readiness lasts until it is cleared, and attempts wait for it.
local reactor, sys = require "reactor", require "reactor.sys"
local task, time = require "reactor.task", require "reactor.time"

local function pair(interest)
  local here, there = assert(sys.socketpair())
  return here, there, assert(reactor.register(here, interest or "rw"))
end

local function fill(fd)
  local total = 0
  while true do
    local count = sys.write(fd, ("x"):rep(65536))
    if not count then return total end
    total = total + count
  end
end

local function close(reg, ...)
  assert(reg:deregister())
  for _, fd in ipairs { ... } do assert(sys.close(fd)) end
end

-- A new socket is writable at once and not readable
local here, there, reg = pair()
local ev = assert(reg:writable(5))
assert(ev.writable == true and ev.readable == false and ev.write_closed == false)
assert(ev.read_closed == false and ev.priority == false and ev.error == false)
assert(ev.nonsense == nil and tostring(ev) == "ready event (writable)")
assert(reg:poll_read_ready() == nil)
local none, why = reg:readable(0.01)
assert(none == nil and why == "timeout")
none, why = reg:readable(0)
assert(none == nil and why == "timeout")

-- Readiness lasts when the data is gone, until it is cleared
assert(sys.write(there, "ab"))
ev = assert(reg:readable(5))
assert(ev.readable and not ev.writable)
assert(sys.read(here) == "ab")
assert(reg:poll_read_ready().readable and reg:readable(0).readable)
assert(reg:clear_readiness(ev))
assert(reg:poll_read_ready() == nil)
assert(sys.write(there, "c"))
assert(reg:readable(5).readable and sys.read(here) == "c")

-- An old event clears nothing that was reported since
assert(reg:clear_readiness(reg:poll_read_ready()))
assert(sys.write(there, "d"))
local old = assert(reg:readable(5))
assert(sys.read(here) == "d")
assert(sys.write(there, "e"))
time.sleep(0.001)
assert(reg:clear_readiness(old))
assert(reg:poll_read_ready().readable)

-- Writable until the socket is full, and again when the peer has drained it
assert(fill(here) > 0)
assert(reg:clear_readiness(reg:poll_write_ready()))
assert(reg:poll_write_ready() == nil)
local drain = task.spawn(function()
  while sys.read(there) do end
end)
assert(reg:writable(5).writable)
drain:join()
close(reg, here, there)

-- read_io waits until there is something; try_io does not
here, there, reg = pair()
local calls = 0
local function read()
  calls = calls + 1
  return sys.read(here, 10)
end
none, why = reg:try_io("r", read)
assert(none == nil and why == "again" and calls == 0)
task.spawn(function() assert(sys.write(there, "hello")) end)
assert(reg:read_io(read) == "hello" and calls == 1)
assert(select("#", reg:try_io("r", function() return 1, nil, 3 end)) == 3)
none, why = reg:try_io("r", read)
assert(none == nil and why == "again" and calls == 2)
none, why = reg:try_io("r", read)
assert(none == nil and why == "again" and calls == 2)
assert(reg:try_io("rw", function() return "union" end) == "union")
assert(sys.write(there, "x"))
none, why = reg:read_io(function() return nil, "broken" end)
assert(none == nil and why == "broken")
close(reg, here, there)

-- write_io waits for room
here, there, reg = pair()
fill(here)
local sent
local writer = task.spawn(function()
  sent = reg:write_io(sys.write, here, "last")
end)
time.sleep(0)
assert(sent == nil)
while sys.read(there) do end
writer:join()
assert(sent == 4 and sys.read(there) == "last")
close(reg, here, there)

-- Many wait for one event, and all are woken, in the order in which they came
here, there, reg = pair()
local order, waiters = {}, {}
for i = 1, 10 do
  waiters[i] = task.spawn(function()
    assert(reg:readable(5))
    order[#order + 1] = i
  end)
end
time.sleep(0)
assert(sys.write(there, "x"))
for _, waiter in ipairs(waiters) do waiter:join() end
assert(table.concat(order, " ") == "1 2 3 4 5 6 7 8 9 10")
close(reg, here, there)
