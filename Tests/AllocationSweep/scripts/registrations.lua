-- Registrations of a script's own descriptors.
local reactor, sys = require "reactor", require "reactor.sys"
-- A script owns its descriptors: their closer is there before they are.
local r, w
local _ <close> = setmetatable({}, {
  __close = function() if r then sys.close(r) sys.close(w) end end,
})
r, w = sys.socketpair()
local reg <close> = assert(reactor.register(r, "r"))
assert(select(2, reg:readable(0)) == "timeout")
require("reactor.task").spawn(function() assert(sys.write(w, "hi") == 2) end)
local ev = assert(reg:readable(5))
assert(ev.readable and not ev.writable and tostring(ev):find("readable"))
assert(reg:read_io(function() return sys.read(r, 10) end) == "hi")
reg:clear_readiness(ev)
assert(reg:try_io("r", function() return sys.read(r, 10) end) == nil)
assert(reg:deregister())
require("app").done()
