-- Results of every kind: lists and tables that are nested, and several at once.
local reactor, net = require "reactor", require "reactor.net"
local m = reactor.metrics()
assert(m.tasks == 1 and type(m.longest_turn) == "number")
assert(net.resolve("127.0.0.1:80")[1] == "127.0.0.1:80")
local conn, e, detail = net.connect("127.0.0.1:1")
assert(conn == nil and e and detail == "ECONNREFUSED")
assert(os.getenv("PATH") and os.getenv("no such name") == nil)
require("app").done()
