-- Unix sockets, pairs and pipes.
local sys, net = require "reactor.sys", require "reactor.net"
local cases = require "support.cases"
local case, say = cases.case, cases.say

case("a pair of streams", function()
  local a, b = cases.socketpair()
  a:write "over"
  say(b:read())
  b:write "and out"
  b:close()
  say(a:drain())
end)

case("a pair whose other end is closed", function()
  local a, b = cases.socketpair()
  b:close()
  say(a:bits "rw")
  say(sys.write(a.fd, "x"))
  say(sys.read(a.fd))
end)

case("a pair whose other end was closed with unread bytes", function()
  local a, b = cases.socketpair()
  a:write "unread"
  b:close()
  say(sys.read(a.fd))
  say(sys.read(a.fd))
end)

case("a pair that is half closed", function()
  local a, b = cases.socketpair()
  say(sys.shutdown(a.fd, "w"))
  say(b:read())
  say(b:write "yes", a:read())
end)

case("a pair of packets keeps their limits", function()
  local a, b = cases.socketpair "seqpacket"
  sys.send(a.fd, "one")
  sys.send(a.fd, "two")
  say(b:read(), b:read())
  a:close()
  say(b:read())
end)

case("a pair of datagrams", function()
  local a, b = cases.socketpair "dgram"
  sys.send(a.fd, "first")
  sys.send(a.fd, "")
  sys.send(a.fd, "third")
  say(b:read(), b:read(), b:read())
end)

case("a listener at an abstract name", function()
  local listener = assert(net.listen "unix:@luareact-worlds")
  local conn = assert(net.connect "unix:@luareact-worlds")
  local peer = assert(listener:accept(5))
  conn:write "abstract\n"
  say(peer:readline(5))
  say(net.listen "unix:@luareact-worlds")
  for _, handle in ipairs { conn, peer, listener } do handle:close() end
  say(net.connect "unix:@luareact-worlds")
end)

case("a pipe", function()
  local output, input = assert(sys.pipe())
  local reader, writer = cases.wrap(output), cases.wrap(input)
  say(sys.read(output))
  writer:write "through"
  say(reader:read())
  writer:close()
  say(reader:read())
end)

case("a pipe without a reader", function()
  local output, input = assert(sys.pipe())
  local writer = cases.wrap(input)
  sys.close(output)
  say(sys.write(input, "x"))
  say(writer:bits "w")
end)

case("a pipe whose writer is gone", function()
  local output, input = assert(sys.pipe())
  local reader = cases.wrap(output)
  sys.write(input, "rest")
  sys.close(input)
  say(reader:drain())
end)

case("a full pipe", function()
  local output, input = assert(sys.pipe())
  local reader, writer = cases.wrap(output), cases.wrap(input)
  local sent = 0
  while true do
    local n, err = sys.write(input, ("x"):rep(4096))
    if not n then
      say(err, sent)
      break
    end
    sent = sent + n
  end
  say(#reader:read(4096))
  say(writer:write "room again")
end)

case("the wrong end of a pipe", function()
  local output, input = assert(sys.pipe())
  cases.keep(output)
  cases.keep(input)
  say(sys.write(output, "x"))
  say(sys.read(input))
end)
