-- Registrations: every misuse is a defined answer, or an error that names what is wrong.
local reactor, sys = require "reactor", require "reactor.sys"

local function fails(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  assert(not ok, "no error")
  assert(tostring(message):find(pattern), message)
end

-- Registering
local here, there = assert(sys.socketpair())
local reg = assert(reactor.register(here, "r"))
local none, text, name = reactor.register(here, "r")
assert(none == nil and name == "EEXIST" and text == "file exists")
none, text, name = reactor.register(1000000, "r")
assert(none == nil and name == "EBADF" and text == "bad file descriptor")
fails("not a descriptor: %-1", reactor.register, -1)
fails("letters of \"rwpce\"", reactor.register, here, "rx")
fails("letters of \"rwpce\"", reactor.register, here, "")
fails("number expected", reactor.register, "one")
fails("string expected", reactor.register, here, {})

-- An interest outside the registered one names both
fails("cannot wait for \"w\": fd " .. here .. " was registered for \"r\"", reg.writable, reg)
fails("cannot wait for \"rp\".*for \"r\"", reg.readiness, reg, "rp")
fails("cannot wait for \"w\".*for \"r\"", reg.poll_write_ready, reg)
fails("cannot wait for \"w\".*for \"r\"", reg.write_io, reg, print)
fails("cannot wait for \"w\".*for \"r\"", reg.try_io, reg, "w", print)
assert(select(2, reg:readiness("rce", 0)) == "timeout") -- errors and hang-ups are always told
fails("function expected", reg.read_io, reg)
fails("ready event expected, got nil", reg.clear_readiness, reg)
fails("ready event expected, got table", reg.clear_readiness, reg, {})

-- An event of another registration
local other = assert(reactor.register(there, "rw"))
fails("event is of another registration", reg.clear_readiness, reg, assert(other:writable(5)))

-- Every method times an ended one, nil, another type and a foreign handle
local listener = assert(require("reactor.net").listen "127.0.0.1:0")
local event = other:writable()
other:deregister()
for method, arguments in pairs {
  readable = {}, writable = {}, readiness = { "r" }, poll_read_ready = {}, poll_write_ready = {},
  clear_readiness = { event }, read_io = { print }, write_io = { print }, try_io = { "r", print },
  fd = {}, interest = {},
} do
  local call = assert(reg[method], method)
  local result, why = call(other, table.unpack(arguments))
  assert(result == nil and why == "closed", method)
  for _, wrong in ipairs { 1, "text", {}, io.stdout, listener } do
    fails("registration expected", call, wrong, table.unpack(arguments))
  end
  fails("registration expected", call, nil, table.unpack(arguments))
end
assert(other:deregister() == false)
listener:close()
reg:deregister()

-- A blocking descriptor becomes non-blocking: standard input is one here, or a file
local file <close> = assert(io.open(arg[0]))
local plain = assert(file.fd and file:fd() or sys.dup(0))
local always = reactor.register(plain, "rw")
if always then always:deregister() end
if not file.fd then sys.close(plain) end

-- A number that was closed without deregistering belongs to the next registration
local r, w = assert(sys.pipe())
local lost = assert(reactor.register(r, "r"))
sys.close(r)
local r2, w2 = assert(sys.pipe())
assert(r2 == r)
local kept = assert(reactor.register(r2, "r"))
none, text = lost:readable()
assert(none == nil and text == "closed")
lost = nil
collectgarbage()
collectgarbage()
require("reactor.time").sleep(0)
assert(sys.write(w2, "x"))
assert(kept:read_io(sys.read, r2) == "x")
kept:deregister()
for _, fd in ipairs { r2, w, w2, here, there } do assert(sys.close(fd)) end

-- A socket whose number was closed behind its back leaves the next owner of it alone
local socket = assert(require("reactor.net").udp "127.0.0.1:0")
local number = socket:fd()
sys.close(number)
r, w = assert(sys.pipe())
assert(r == number)
kept = assert(reactor.register(r, "r"))
assert(select(2, socket:recv()) == "closed")
assert(select(3, socket:connect "127.0.0.1:9") == "EBADF" and socket:fd() == -1)
assert(socket:close())
assert(sys.write(w, "x") and kept:read_io(sys.read, r) == "x")
kept:deregister()
for _, fd in ipairs { r, w } do assert(sys.close(fd)) end

-- Counters
local before = reactor.metrics()
local fd = assert(sys.dup(0))
local a, b = assert(sys.socketpair())
reg = assert(reactor.register(a))
reg:deregister()
local after = reactor.metrics()
assert(after.registered - before.registered == 1)
assert(after.deregistered - before.deregistered == 1)
assert(after.registrations == before.registrations and after.turns >= before.turns)
for _, number in ipairs { fd, a, b } do sys.close(number) end
