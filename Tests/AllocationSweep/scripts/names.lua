-- A name that is looked up in another thread.
local net = require "reactor.net"
local list = assert(net.resolve("localhost:80"))
assert(#list >= 1)
require("app").done()
