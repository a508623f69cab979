-- The ends of TCP connections.
local sys, task = require "reactor.sys", require "reactor.task"
local cases = require "support.cases"
local case, say = cases.case, cases.say

case("a closed peer is the end, again and again", function()
  local client, server = cases.pair()
  client:write "last words"
  client:close()
  say(server:drain())
  say(sys.read(server.fd), sys.read(server.fd))
end)

case("a closed peer shows in the bits", function()
  local client, server = cases.pair()
  client:close()
  say(server:bits "r")
end)

case("half closed: the other direction goes on", function()
  local client, server = cases.pair()
  say(sys.shutdown(client.fd, "w"))
  say(server:drain())
  say(server:write "still here")
  say(client:read())
  server:close()
  say(client:drain())
end)

case("writing after the own end", function()
  local client = cases.pair()
  sys.shutdown(client.fd, "w")
  say(client:write "x")
end)

case("ending twice", function()
  local client, server = cases.pair()
  say(sys.shutdown(client.fd, "w"), sys.shutdown(client.fd, "w"))
  say(server:drain())
end)

case("bytes before the end are not lost", function()
  local client, server = cases.pair()
  local data = cases.bytes(100000)
  local writer = task.spawn(function()
    client:write_all(data)
    client:close()
  end)
  writer:join()
  local got, how = server:drain()
  say(got == data, how)
end)

case("ending the receiving makes reads end", function()
  local client, server = cases.pair()
  say(sys.shutdown(server.fd, "r"))
  say(server:read())
  say(server:write "fine")
  say(client:read())
end)

case("closing with unread bytes resets", function()
  local client, server = cases.pair()
  client:write "never read"
  server:wait "r"
  server:close()
  client:wait "c"
  say(sys.read(client.fd))
  say(sys.read(client.fd))
end)

case("writing to a peer that has closed is answered with a reset", function()
  local client, server = cases.pair()
  server:close()
  say(client:read())
  say(client:write "first")
  local event = client.reg:readiness("c", 5)
  repeat
    local n, err, name = sys.write(client.fd, "more")
    if not n then say(err, name) end
  until not n
  say(sys.write(client.fd, "again"))
end)

case("linger zero resets", function()
  local client, server = cases.pair()
  say(sys.setsockopt(client.fd, "linger", 0))
  client:close()
  server:wait "r"
  say(sys.read(server.fd))
  say(sys.read(server.fd))
  say(sys.write(server.fd, "x"))
end)

case("a reset shows in the bits", function()
  local client, server = cases.pair()
  sys.setsockopt(client.fd, "linger", 0)
  client:close()
  say(server:bits "r")
end)

case("a reset drops what was not read", function()
  local client, server = cases.pair()
  client:write "lost"
  server:wait "r"
  sys.setsockopt(client.fd, "linger", 0)
  client:close()
  server:wait "c"
  say(sys.read(server.fd))
end)

case("both ends end, then both close", function()
  local client, server = cases.pair()
  say(sys.shutdown(client.fd, "w"), sys.shutdown(server.fd, "w"))
  say(client:drain())
  say(server:drain())
  say(client:bits "rw")
end)

case("the peer's name is gone after a reset", function()
  local client, server = cases.pair()
  sys.setsockopt(client.fd, "linger", 0)
  client:close()
  server:wait "r"
  sys.read(server.fd)
  say(sys.getpeername(server.fd))
end)

case("a closed descriptor", function()
  local client = cases.pair()
  local fd = client.fd
  client:close()
  say(sys.read(fd))
  say(sys.write(fd, "x"))
  say(sys.close(fd))
end)

case("a duplicate keeps the connection", function()
  local client, server = cases.pair()
  local copy = cases.keep(sys.dup(client.fd))
  client:close()
  say(sys.read(server.fd))
  say(sys.write(copy, "alive"))
  say(server:read())
end)
