-- Datagrams.
local net = require "reactor.net"
local a <close> = assert(net.udp("127.0.0.1:0"))
local b <close> = assert(net.udp("127.0.0.1:0", { peer = a:address() }))
assert(b:send("one") == 3)
local data, from = assert(a:recv())
assert(data == "one")
assert(a:send("two", from) == 3)
assert(b:recv() == "two")
assert(select(2, a:recv(0)) == "timeout")
require("app").done()
