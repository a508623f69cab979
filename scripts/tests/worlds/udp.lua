-- Datagrams over UDP.
local sys, net = require "reactor.sys", require "reactor.net"
local cases = require "support.cases"
local case, say = cases.case, cases.say

local function bound()
  local fd = assert(sys.socket("inet", "dgram"))
  assert(sys.bind(fd, "127.0.0.1:0"))
  return cases.wrap(fd), assert(sys.getsockname(fd))
end

--- An address where no socket is bound.
local function nobody()
  local socket, address = bound()
  socket:close()
  return address
end

case("a datagram and its sender", function()
  local a, from = bound()
  local b, to = bound()
  say(sys.sendmsg(a.fd, "hello", to))
  local data, sender = b.reg:read_io(sys.recvmsg, b.fd)
  say(data, sender == from)
end)

case("datagrams keep their limits and their order", function()
  local a = bound()
  local b, to = bound()
  for _, text in ipairs { "one", "two", "three" } do sys.sendmsg(a.fd, text, to) end
  for _ = 1, 3 do say((b.reg:read_io(sys.recv, b.fd))) end
end)

case("nothing to receive yet", function()
  local a = bound()
  say(sys.recv(a.fd))
end)

case("an empty datagram", function()
  local a = bound()
  local b, to = bound()
  say(sys.sendmsg(a.fd, "", to))
  b:wait "r"
  say(sys.recv(b.fd))
  say(sys.recv(b.fd))
end)

case("a datagram that is longer than the buffer is cut", function()
  local a = bound()
  local b, to = bound()
  sys.sendmsg(a.fd, "0123456789", to)
  b:wait "r"
  say(sys.recv(b.fd, 4))
  say(sys.recv(b.fd))
end)

case("peeking leaves the datagram", function()
  local a = bound()
  local b, to = bound()
  sys.sendmsg(a.fd, "look", to)
  b:wait "r"
  say(sys.recv(b.fd, 9, "peek"), sys.recv(b.fd))
end)

case("the longest datagram, and one byte more", function()
  local a = bound()
  local b, to = bound()
  sys.setsockopt(b.fd, "rcvbuf", 300000)
  say(sys.sendmsg(a.fd, cases.bytes(65507), to))
  say(sys.sendmsg(a.fd, cases.bytes(65508), to))
  b:wait "r"
  say(sys.recv(b.fd))
end)

case("sending without a peer", function()
  local a = bound()
  say(sys.send(a.fd, "x"))
  say(sys.getpeername(a.fd))
end)

case("a connected socket hears its peer only", function()
  local a, first = bound()
  local b, to = bound()
  local c = bound()
  say(sys.connect(b.fd, first))
  sys.sendmsg(c.fd, "stranger", to)
  sys.sendmsg(a.fd, "friend", to)
  b:wait "r"
  say(sys.recv(b.fd))
  say(sys.recv(b.fd))
  say(sys.getpeername(b.fd) == first)
end)

case("a connected socket sends to its peer", function()
  local a, address = bound()
  local b = bound()
  sys.connect(b.fd, address)
  say(sys.send(b.fd, "to you"), sys.write(b.fd, "and again"))
  a:wait "r"
  say(sys.recv(a.fd), sys.recv(a.fd))
end)

case("a peer that is not there refuses, on the next call", function()
  local a = bound()
  sys.connect(a.fd, nobody())
  say(sys.send(a.fd, "anybody?"))
  a:wait "r"
  say(sys.recv(a.fd))
  say(sys.recv(a.fd))
end)

case("a refused datagram is told by a send, too", function()
  local a = bound()
  sys.connect(a.fd, nobody())
  sys.send(a.fd, "anybody?")
  a:wait "r"
  say(sys.send(a.fd, "hello?"))
end)

case("a socket without a peer hears nothing of a refusal", function()
  local a = bound()
  say(sys.sendmsg(a.fd, "anybody?", nobody()))
  say(sys.recv(a.fd))
  say(sys.getsockopt(a.fd, "error"))
end)

case("a socket that sends gets an address", function()
  local _, to = bound()
  local fd = cases.keep(sys.socket("inet", "dgram"))
  say(sys.getsockname(fd))
  sys.sendmsg(fd, "x", to)
  say(sys.getsockname(fd) ~= "0.0.0.0:0")
end)

case("an address that is taken", function()
  local _, address = bound()
  local fd = cases.keep(sys.socket("inet", "dgram"))
  say(sys.bind(fd, address))
end)

case("net.udp echoes", function()
  local server <close> = assert(net.udp "127.0.0.1:0")
  local client <close> = assert(net.udp(nil, { peer = server:address() }))
  say(client:send "ping")
  local data, from = server:recv(5)
  say(data, server:send("pong", from))
  say((client:recv(5)))
  say(client:recv(0))
end)
