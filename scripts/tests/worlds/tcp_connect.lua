-- Connecting over TCP.
local sys, net = require "reactor.sys", require "reactor.net"
local cases = require "support.cases"
local case, say = cases.case, cases.say

--- An address where nobody listens.
local function nobody()
  local listener, address = cases.listener()
  listener:close()
  return address
end

case("a connection is established and has two names", function()
  local listener, address = cases.listener()
  local client = assert(cases.connect(address))
  local fd, peer = listener.reg:read_io(sys.accept, listener.fd)
  local server = cases.wrap(assert(fd))
  say(peer == sys.getsockname(client.fd), sys.getpeername(client.fd) == address)
  say(sys.getsockname(server.fd) == address, sys.getpeername(server.fd) == peer)
end)

case("nobody listens", function() say(cases.connect(nobody())) end)

case("a refused connect is told by the error option once", function()
  local fd = cases.keep(sys.socket("inet", "stream"))
  local ok, err = sys.connect(fd, nobody())
  say(ok, err == "again" or err)
  local socket = cases.wrap(fd)
  socket:wait "w"
  say(sys.getsockopt(fd, "error"), sys.getsockopt(fd, "error"))
end)

case("a refused socket has all bits", function()
  local fd = cases.keep(sys.socket("inet", "stream"))
  sys.connect(fd, nobody())
  local socket = cases.wrap(fd)
  say(socket:bits "w")
end)

case("reading from a refused socket", function()
  local fd = cases.keep(sys.socket("inet", "stream"))
  sys.connect(fd, nobody())
  local socket = cases.wrap(fd)
  socket:wait "w"
  say(sys.read(fd))
  say(sys.read(fd))
end)

case("connecting twice", function()
  local listener, address = cases.listener()
  local client = assert(cases.connect(address))
  say(sys.connect(client.fd, address))
end)

case("a listener cannot connect", function()
  local listener = cases.listener()
  local _, address = cases.listener()
  say(sys.connect(listener.fd, address))
end)

case("a socket that was never connected", function()
  local fd = cases.keep(sys.socket("inet", "stream"))
  say(sys.read(fd))
  say(sys.write(fd, "x"))
  say(sys.getpeername(fd))
  say(sys.getsockname(fd))
  say(sys.shutdown(fd, "w"))
end)

case("binding a socket before it connects gives it that address", function()
  local listener, address = cases.listener()
  local fd = cases.keep(sys.socket("inet", "stream"))
  assert(sys.bind(fd, "127.0.0.1:0"))
  local own = sys.getsockname(fd)
  sys.connect(fd, address)
  cases.wrap(fd):wait "w"
  say(sys.getsockname(fd) == own, own:match "^[^:]*")
end)

case("binding twice", function()
  local fd = cases.keep(sys.socket("inet", "stream"))
  say(sys.bind(fd, "127.0.0.1:0"))
  say(sys.bind(fd, "127.0.0.1:0"))
end)

case("binding an address that is not ours", function()
  local fd = cases.keep(sys.socket("inet", "stream"))
  say(sys.bind(fd, "192.0.2.1:0"))
end)

case("net.connect to nobody", function() say(net.connect(nobody(), { timeout = 5 })) end)

case("net.connect from an address that is not ours", function()
  local _, address = cases.listener()
  say(net.connect(address, { bind = "192.0.2.1:0" }))
end)

case("an address of another family", function()
  local fd = cases.keep(sys.socket("inet", "stream"))
  say(sys.connect(fd, "unix:@none"))
end)
