-- Registrations: what ends a wait, and what a closed or failed descriptor reports.
local reactor, sys = require "reactor", require "reactor.sys"
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"

-- Deregistering wakes every waiter with "closed"; the descriptor stays open
local here, there = assert(sys.socketpair())
local reg = assert(reactor.register(here))
assert(tostring(reg):find("fd " .. here, 1, true) and reg:fd() == here and reg:interest() == "rw")
local ended = {}
for i, wait in ipairs {
  function() return reg:readable() end,
  function() return reg:readiness("c", 60) end,
  function() return reg:read_io(sys.read, here) end,
} do
  task.spawn(function() ended[i] = { wait() } end)
end
time.sleep(0)
assert(reg:deregister() == true)
time.sleep(0)
for i = 1, 3 do assert(ended[i][1] == nil and ended[i][2] == "closed") end
assert(reg:deregister() == false and tostring(reg) == "registration (ended)")
assert(sys.write(here, "still open") == 10 and sys.read(there) == "still open")

-- So it may be registered again
reg = assert(reactor.register(here))
assert(reg:writable(5))
reg:deregister()

-- A cancelled wait and one that timed out leave nothing behind
reg = assert(reactor.register(here, "r"))
local victim = task.spawn(function() reg:readable() end)
time.sleep(0)
victim:cancel()
assert(select(2, reg:readable(0.001)) == "timeout")
assert(sys.write(there, "x"))
assert(reg:readable(5).readable)
reg:deregister()
sys.close(here)
sys.close(there)

-- A half-closed peer: reading is closed, writing goes on
local listener = assert(net.listen "127.0.0.1:0")
local client = assert(sys.socket("inet", "stream"))
local _, state = sys.connect(client, listener:address())
assert(state == "again")
local accepted = assert(listener:accept())
local conn = accepted:fd()
reg = assert(reactor.register(client, "rwp"))
assert(reg:writable(5) and sys.getsockopt(client, "error") == 0)
assert(accepted:write "bye")
assert(accepted:shutdown "w")
local ev = assert(reg:readiness("c", 5))
assert(ev.read_closed and not ev.write_closed)
assert(reg:read_io(sys.read, client) == "bye" and reg:read_io(sys.read, client) == "")
assert(reg:write_io(sys.write, client, "answer") == 6 and accepted:readn(6, 5) == "answer")
reg:deregister()
sys.close(client)
assert(conn >= 0 and accepted:close())

-- Urgent data is an event of its own
client = assert(sys.socket("inet", "stream"))
sys.connect(client, listener:address())
accepted = assert(listener:accept())
reg = assert(reactor.register(client, "rp"))
assert(reg:readiness("p", 0.001) == nil)
assert(sys.send(accepted:fd(), "!", "oob"))
ev = assert(reg:readiness("p", 5))
assert(ev.priority and not ev.error)
assert(sys.recv(client, 1, "oob") == "!")
reg:deregister()

-- A reset: every wait ends, and the call tells
reg = assert(reactor.register(client, "rw"))
assert(sys.write(client, "unread"))
time.sleep(0.001)
accepted:close()
ev = assert(reg:readiness("c", 5))
assert(ev.error or ev.read_closed)
reg:deregister()
sys.close(client)
listener:close()

-- A pipe whose reader is gone ends the wait of the writer
local r, w = assert(sys.pipe())
reg = assert(reactor.register(w, "w"))
local room = assert(reg:writable(5))
while sys.write(w, ("x"):rep(4096)) do end
reg:clear_readiness(room)
local gone
task.spawn(function() gone = { reg:write_io(sys.write, w, "x") } end)
time.sleep(0)
sys.close(r)
assert(reg:readiness("c", 5))
time.sleep(0)
assert(gone[1] == nil and gone[3] == "EPIPE")
reg:deregister()
sys.close(w)

-- A closed end that finds nothing waits and lets others run, instead of spinning
local avoided = reactor.metrics().spins_avoided
here, there = assert(sys.socketpair())
reg = assert(reactor.register(here, "r"))
sys.close(there)
local tries = 0
local spinner = task.spawn(function()
  reg:read_io(function()
    tries = tries + 1
    return nil, "again"
  end)
end)
time.sleep(0.02)
assert(tries >= 1 and tries < 5, tries)
assert(reactor.metrics().spins_avoided > avoided)
spinner:cancel()
reg:deregister()
sys.close(here)
