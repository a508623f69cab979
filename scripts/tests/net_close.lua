-- How connections end: nothing that was written is lost, and whoever is left may go on.
local net, sys, task = require "reactor.net", require "reactor.sys", require "reactor.task"
local reactor, time = require "reactor", require "reactor.time"

local listener = assert(net.listen "127.0.0.1:0")

local function pair()
  local client = task.spawn(net.connect, listener:address())
  local server = assert(listener:accept(5))
  return assert(client:join()), server
end

local function until_settled()
  local deadline = time.mono() + 10
  while reactor.metrics().lingering > 0 and time.mono() < deadline do time.sleep(0.001) end
  assert(reactor.metrics().lingering == 0)
end

local function lowest()
  local fd = assert(sys.dup(0))
  sys.close(fd)
  return fd
end
local before, registrations = lowest(), reactor.metrics().registrations

-- An answer before the question is over: 10 MiB come after it, and the peer gets all of it
local question, answer = ("q"):rep(10 << 20), ("a"):rep(300000)
for _ = 1, tonumber(os.getenv "LUAREACT_ROUNDS") or 20 do
  local client, server = pair()
  local asking = task.spawn(function() return client:write("line\n" .. question, 30) end)
  assert(server:readline(5) == "line")
  assert(server:write(answer, 30) == #answer)
  assert(server:close())
  assert(asking:join() == #question + 5)
  assert(client:readall(30) == answer)
  client:close()
end
until_settled()

-- Bytes that the buffer has count as unread, too
local client, server = pair()
client:write "one\ntwo\n"
assert(server:readline(5) == "one" and server:buffered() == 4)
server:write "done"
server:close()
assert(reactor.metrics().lingering == 1)
assert(client:readall(5) == "done")
client:close()
until_settled()

-- A peer that has ended already needs no patience
client, server = pair()
client:write "unread"
client:shutdown "w"
assert(server:read(1, 5) == "u")
server:write "bye"
server:close()
assert(reactor.metrics().lingering == 0)
assert(client:readall(5) == "bye")
client:close()

-- Nothing unread: closed at once
client, server = pair()
client:write "x"
assert(server:read(10, 5) == "x")
server:close()
assert(reactor.metrics().lingering == 0)
assert(select(2, client:read(1, 5)) == "eof")
client:close()

-- SO_LINGER with a time of 0 is a reset, whatever stands unread
client, server = pair()
client:write "unread"
assert(server:read(1, 5) == "u")
assert(server:option("linger", 0))
server:close()
assert(reactor.metrics().lingering == 0)
assert(select(3, client:read(1, 5)) == "ECONNRESET")
client:close()

-- A Unix socket: what was written and then the end, not ECONNRESET
local name = "unix:@luareact-close-" .. sys.getsockname(listener:fd())
local local_listener <close> = assert(net.listen(name))
local connecting = task.spawn(net.connect, name)
server = assert(local_listener:accept(5))
client = assert(connecting:join())
client:write "unread"
assert(server:read(1, 5) == "u")
server:write "bye"
server:close()
assert(client:readall(5) == "bye")
client:close()
until_settled()
local_listener:close()

-- Half-closed, both ways, 1 MiB each: who has ended its writing still gets everything
local data = {}
for i = 1, 1 << 17 do data[i] = ("%08x"):format(i * 2654435761 & 0xFFFFFFFF) end
data = table.concat(data)
assert(#data == 1 << 20)
for round = 1, 20 do
  client, server = pair()
  local early, late = client, server
  if round % 2 == 0 then early, late = late, early end
  local writing = task.spawn(function()
    assert(early:write(data, 30) == #data)
    assert(early:shutdown "w")
    assert(select(2, early:write "more") == "closed")
    return early:readall(30)
  end)
  local got = assert(late:readall(30))
  assert(got == data)
  assert(select(2, late:read(1, 0)) == "eof")
  assert(late:write(data:reverse(), 30) == #data)
  assert(late:shutdown "w")
  assert(writing:join() == data:reverse())
  assert(client:close() and server:close())
end
assert(reactor.metrics().lingering == 0)

-- Both at once: exactly one end each
client, server = pair()
assert(client:shutdown "w" and server:shutdown "w")
for _ = 1, 3 do
  assert(select(2, client:read(1, 5)) == "eof" and select(2, server:read(1, 5)) == "eof")
end
client:close()
server:close()

assert(lowest() == before and reactor.metrics().registrations == registrations)
listener:close()
