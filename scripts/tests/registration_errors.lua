-- The error queue of a UDP socket (ip(7), IP_RECVERR), and the pending error that the next call of
-- either direction fetches, are told apart: what one task finds, another does not lose.
local reactor, sys = require "reactor", require "reactor.sys"
local net, task = require "reactor.net", require "reactor.task"

local nobody = assert(net.udp "127.0.0.1:0")
local address = nobody:address()
nobody:close()

local fd = assert(sys.socket("inet", "dgram"))
assert(sys.setsockopt(fd, "ip_recverr", 1))
assert(sys.connect(fd, address))
local reg <close> = assert(reactor.register(fd, "rwe"))
assert(reg:readiness("e", 0.001) == nil)

-- A reader that finds the error first leaves the queue to those who wait for it
local found = false
local reader = task.spawn(function()
  local data, text, name = reg:read_io(sys.recv, fd)
  assert(data == nil and name == "ECONNREFUSED", text)
  found = true
  return reg:read_io(sys.recv, fd)
end)
assert(sys.send(fd, "into the void"))
while not found do task.yield() end
task.yield()
assert(reader:status() == "waiting")
local event = assert(reg:readiness("e", 5))
assert(event.error and tostring(event) == "ready event (error)")
local queued = assert(sys.recv(fd, 100, "errqueue"))
assert(queued == "into the void")
assert(select(2, sys.recv(fd, 100, "errqueue")) == "again")
reg:clear_readiness(event)
assert(reg:readiness("e", 0) == nil)

-- Another error is another event
assert(sys.send(fd, "again"))
event = assert(reg:readiness("e", 5))
assert(event.error and sys.recv(fd, 100, "errqueue") == "again")
reader:cancel()
reg:deregister()
sys.close(fd)
