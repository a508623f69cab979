-- Listening for TCP connections.
local sys, net, task = require "reactor.sys", require "reactor.net", require "reactor.task"
local cases = require "support.cases"
local case, say = cases.case, cases.say

case("nothing to accept yet", function()
  local listener = cases.listener()
  say(sys.accept(listener.fd))
end)

case("connections are accepted in their order", function()
  local listener, address = cases.listener()
  local names = {}
  for i = 1, 3 do names[i] = sys.getsockname(assert(cases.connect(address)).fd) end
  for i = 1, 3 do
    local fd, peer = listener.reg:read_io(sys.accept, listener.fd)
    cases.keep(fd)
    say(i, peer == names[i])
  end
end)

case("an address that is taken", function()
  local _, address = cases.listener()
  local fd = cases.keep(sys.socket("inet", "stream"))
  say(sys.bind(fd, address))
  sys.setsockopt(fd, "reuseaddr", 1)
  say(sys.bind(fd, address))
end)

case("an address that was listened at can be taken again", function()
  local listener, address = cases.listener()
  listener:close()
  local fd = cases.keep(sys.socket("inet", "stream"))
  sys.setsockopt(fd, "reuseaddr", 1)
  say(sys.bind(fd, address), sys.listen(fd))
end)

case("an address with connections in TIME_WAIT needs reuseaddr", function()
  local listener, address = cases.listener()
  local client = assert(cases.connect(address))
  local server = cases.wrap(assert(listener.reg:read_io(sys.accept, listener.fd)))
  server:close()
  say(client:drain())
  client:close()
  listener:close()
  local fd = cases.keep(sys.socket("inet", "stream"))
  say(sys.bind(fd, address))
  sys.setsockopt(fd, "reuseaddr", 1)
  say(sys.bind(fd, address))
end)

case("accept without listen", function()
  local fd = cases.keep(sys.socket("inet", "stream"))
  say(sys.accept(fd))
end)

case("a listener cannot read or write", function()
  local listener = cases.listener()
  say(sys.read(listener.fd))
  say(sys.write(listener.fd, "x"))
end)

case("closing a listener resets who was not accepted", function()
  local listener, address = cases.listener()
  local client = assert(cases.connect(address))
  listener:close()
  client:wait "r"
  say(sys.read(client.fd))
end)

case("a client that left before it was accepted", function()
  local listener, address = cases.listener()
  local client = assert(cases.connect(address))
  client:write "bye"
  client:close()
  local server = cases.wrap(assert(listener.reg:read_io(sys.accept, listener.fd)))
  say(server:drain())
end)

case("bytes that came before accept", function()
  local listener, address = cases.listener()
  local client = assert(cases.connect(address))
  say(client:write "early")
  local server = cases.wrap(assert(listener.reg:read_io(sys.accept, listener.fd)))
  say(server:read())
end)

case("an accepted socket inherits options", function()
  local listener, address = cases.listener()
  sys.setsockopt(listener.fd, "keepalive", 1)
  local client = assert(cases.connect(address))
  local fd = cases.keep(listener.reg:read_io(sys.accept, listener.fd))
  say(sys.getsockopt(fd, "keepalive") ~= 0, sys.getsockopt(client.fd, "keepalive") ~= 0)
end)

case("a server of many connections", function()
  local listener = assert(net.listen "127.0.0.1:0")
  local server = task.spawn(net.serve, listener, function(conn)
    for line in conn:lines() do conn:write(line:upper() .. "\n") end
  end)
  local results = {}
  local clients = {}
  for i = 1, 50 do
    clients[i] = task.spawn(function()
      local conn <close> = assert(net.connect(listener:address()))
      conn:write("hello " .. i .. "\n")
      results[i] = conn:readline(5)
    end)
  end
  for _, client in ipairs(clients) do client:join() end
  listener:close()
  say(server:join())
  say(table.concat(results, " "))
end)

case("a listening address in use, by net.listen", function()
  local listener <close> = assert(net.listen "127.0.0.1:0")
  say(net.listen(listener:address()))
end)
