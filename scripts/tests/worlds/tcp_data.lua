-- Bytes over TCP.
local sys, task = require "reactor.sys", require "reactor.task"
local cases = require "support.cases"
local case, say = cases.case, cases.say

case("bytes arrive in order", function()
  local client, server = cases.pair()
  say(client:write "one ", client:write "two")
  local got = ""
  while #got < 7 do got = got .. server:read() end
  say(got)
end)

case("nothing to read yet", function()
  local client, server = cases.pair()
  say(sys.read(server.fd))
  client:write "x"
  say(server:read())
  say(sys.read(server.fd))
end)

case("a short read leaves the rest", function()
  local client, server = cases.pair()
  client:write "abcdef"
  server:wait "r"
  say(sys.read(server.fd, 2), sys.read(server.fd, 3), sys.read(server.fd))
end)

case("peeking takes nothing", function()
  local client, server = cases.pair()
  client:write "peek"
  server:wait "r"
  say(sys.recv(server.fd, 2, "peek"), sys.recv(server.fd, 9, "peek"), sys.read(server.fd))
end)

case("writing nothing", function()
  local client, server = cases.pair()
  say(client:write "")
  say(sys.read(server.fd))
end)

case("both directions at once", function()
  local client, server = cases.pair()
  client:write "ping"
  server:write "pong"
  say(client:read(), server:read())
end)

case("a fresh connection is writable and not readable", function()
  local client = cases.pair()
  say(client:bits "w")
end)

case("a megabyte through a reader that keeps up", function()
  local client, server = cases.pair()
  local data = cases.bytes(1 << 20)
  local writer = task.spawn(function()
    local sent = client:write_all(data)
    sys.shutdown(client.fd, "w")
    return sent
  end)
  local got, how = server:drain()
  say(writer:join(), got == data, how)
end)

case("a writer whose peer does not read has to wait, and goes on when it reads", function()
  local client, server = cases.pair()
  local sent, data = 0, cases.bytes(65536)
  while true do
    local n, err = sys.write(client.fd, data)
    if not n then
      say(err)
      break
    end
    sent = sent + n
  end
  say(sent > 65536)
  local parts, count = {}, 0
  while count < sent do
    local part = assert(server:read())
    parts[#parts + 1], count = part, count + #part
  end
  local whole = data:rep(sent // #data + 1)
  -- A write that was cut short began again at the start of the data, so only sums are compared.
  say(count == sent, #table.concat(parts) == #whole:sub(1, sent))
  client.reg:clear_readiness(client:wait "w")
  say((sys.write(client.fd, "more") or 0) == 4)
end)

case("both ends stream a quarter of a megabyte at the same time", function()
  local client, server = cases.pair()
  local data = cases.bytes(1 << 18)
  local function exchange(socket)
    local writer = task.spawn(function()
      socket:write_all(data)
      sys.shutdown(socket.fd, "w")
    end)
    local got, how = socket:drain()
    writer:join()
    return got == data, how
  end
  local other = task.spawn(exchange, client)
  say(exchange(server))
  say(other:join())
end)

case("a small receive buffer slows the writer down, and loses nothing", function()
  local client, server = cases.pair()
  say(sys.setsockopt(server.fd, "rcvbuf", 4096), sys.setsockopt(client.fd, "sndbuf", 4096))
  local data = cases.bytes(200000)
  local writer = task.spawn(function()
    local sent = client:write_all(data)
    client:close()
    return sent
  end)
  local got, how = server:drain()
  say(writer:join(), got == data, how)
end)

case("many small writes", function()
  local client, server = cases.pair()
  for i = 1, 500 do client:write(i .. ",") end
  sys.shutdown(client.fd, "w")
  local got, how = server:drain()
  say(got, how)
end)

case("options that can be read back", function()
  local client = cases.pair()
  say(sys.setsockopt(client.fd, "nodelay", 1), sys.getsockopt(client.fd, "nodelay") ~= 0)
  say(sys.setsockopt(client.fd, "keepalive", 1), sys.getsockopt(client.fd, "keepalive") ~= 0)
  say(sys.getsockopt(client.fd, "error"), sys.getsockopt(client.fd, "type"))
end)
