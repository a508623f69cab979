-- Twelve states in which nothing happens. None of them may cost turns of the loop or processor
-- time: at most 20 turns a second, and 1 % of a processor.
--
--   idle.lua         all of them in this process, for a second
--   idle.lua list    prints their names
--   idle.lua STATE   that one; each line on standard input is answered with turns and seconds of
--                    processor time so far. IdleTests watches one process a state from outside.
local reactor, sys = require "reactor", require "reactor.sys"
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"

local HOUR = 3600
local kept = {} -- nothing is collected while we watch

local function keep(...)
  kept[#kept + 1] = table.pack(...)
  return ...
end

--- Registers a descriptor, and a task that waits for `letters` again and again.
local function watch(fd, letters)
  local reg = keep(assert(reactor.register(fd, letters)))
  task.spawn(function()
    while true do
      local event = reg:readiness(letters)
      if not event then return end
      reg:clear_readiness(event)
    end
  end)
end

--- Two ends of a TCP connection.
local function pair()
  local listener <close> = assert(net.listen "127.0.0.1:0")
  local client = keep(assert(net.connect(listener:address())))
  return client, keep(assert(listener:accept()))
end

--- A TCP socket of the lowest level, and the connection at its other end.
local function raw_pair()
  local listener <close> = assert(net.listen "127.0.0.1:0")
  local fd = assert(sys.socket("inet", "stream"))
  sys.connect(fd, listener:address())
  return fd, keep(assert(listener:accept()))
end

local function fill(fd)
  repeat until not sys.write(fd, ("x"):rep(65536))
end

local function sleeper() return time.sleep(HOUR) end

local states = {
  { "unread data that nobody reads", function()
    local here, there = pair()
    there:write(("x"):rep(100000))
    assert(here:read(1))
    task.spawn(function() return there:read(1, HOUR) end)
    local fd, peer = raw_pair()
    peer:write(("x"):rep(100000))
    watch(fd, "rpce")
  end },
  { "peer half-closed", function()
    local here, there = pair()
    there:shutdown "w"
    assert(select(2, here:read()) == "eof")
    local fd, peer = raw_pair()
    peer:shutdown "w"
    watch(fd, "rwpce")
  end },
  { "hang-up", function()
    local reader, writer = assert(sys.pipe())
    sys.close(writer)
    watch(reader, "rwpce")
  end },
  { "error", function()
    local reader, writer = assert(sys.pipe())
    local reg = assert(reactor.register(writer, "w"))
    fill(writer)
    sys.close(reader)
    reg:deregister()
    watch(writer, "rwpce")
    local fd, peer = raw_pair()
    watch(fd, "rwpce")
    peer:option("linger", 0)
    peer:close()
  end },
  { "urgent byte", function()
    local fd, peer = raw_pair()
    watch(fd, "rwpce")
    assert(sys.send(peer:fd(), "!", "oob"))
    local here, there = pair()
    task.spawn(function() return here:read() end)
    assert(sys.send(there:fd(), "!", "oob"))
  end },
  { "a full send buffer", function()
    local here = pair()
    task.spawn(function() here:write(("x"):rep(16 << 20)) end)
    local fd = raw_pair()
    watch(fd, "w")
    task.yield()
    fill(fd)
  end },
  { "peer of a Unix socket gone", function()
    for _, kind in ipairs { "stream", "dgram", "seqpacket" } do
      local a, b = assert(sys.socketpair("unix", kind))
      assert(sys.write(b, "unread"))
      sys.close(b)
      watch(a, "rwpce")
    end
  end },
  { "ICMP error on a UDP socket", function()
    local nobody = assert(net.udp "127.0.0.1:0")
    local address = nobody:address()
    nobody:close()
    local socket = keep(assert(net.udp(nil, { peer = address })))
    assert(socket:send "nobody receives")
    for _, recverr in ipairs { 0, 1 } do
      local fd = assert(sys.socket("inet", "dgram"))
      assert(sys.setsockopt(fd, "ip_recverr", recverr))
      assert(sys.connect(fd, address))
      watch(fd, "rwpce")
      assert(sys.send(fd, "nor here"))
    end
  end },
  { "a listener that nobody accepts on", function()
    local listener = keep(assert(net.listen "127.0.0.1:0"))
    for _ = 1, 10 do keep(assert(net.connect(listener:address()))) end
    local fd = assert(sys.socket("inet", "stream"))
    assert(sys.bind(fd, "127.0.0.1:0") and sys.listen(fd))
    keep(assert(net.connect(sys.getsockname(fd))))
    watch(fd, "rpce")
  end },
  { "a waiter whose deadline is an hour away", function()
    local here = pair()
    task.spawn(function() return here:read(1, HOUR) end)
    task.spawn(function() return task.timeout(HOUR, sleeper) end)
  end },
  { "a registration with no waiter at all", function()
    local a, b = assert(sys.socketpair())
    keep(assert(reactor.register(a, "rwpce")))
    sys.write(b, "x")
    sys.close(b)
  end },
  { "EMFILE on accept", function() -- the last one, because it takes all descriptors
    local listener = keep(assert(net.listen "127.0.0.1:0"))
    keep(assert(net.connect(listener:address())))
    os.execute "prlimit --pid $PPID --nofile=256:256 2>/dev/null" -- only to be faster
    local number, _, name
    repeat number, _, name = sys.dup(0) until not number
    assert(name == "EMFILE")
    task.spawn(function()
      repeat local conn, err, code = listener:accept() until conn or code ~= "EMFILE"
      error "the listener gave up"
    end)
  end },
}

local function figures() return reactor.metrics().turns, time.processor() end

if arg[1] == "list" then
  for _, state in ipairs(states) do print(state[1]) end
  os.exit(0)
end
for i, state in ipairs(states) do
  if not arg[1] or arg[1] == state[1] then
    state[2]()
    kept.count = i
  end
end
assert(kept.count, "there is no such state")
for _ = 1, 100 do task.yield() end -- what is still on its way arrives
collectgarbage()

if arg[1] then
  print "ready"
  for _ in io.lines() do print(("%d %.6f"):format(figures())) end
else
  local turns, processor = figures()
  local began = time.mono()
  time.sleep(1)
  local seconds = time.mono() - began
  local turns_after, processor_after = figures()
  local rate = (turns_after - turns) / seconds
  local share = (processor_after - processor) / seconds * 100
  print(("12 idle states in one process: %.1f turns/s, %.2f %% CPU"):format(rate, share))
  assert(rate <= 20, rate)
  assert(share < 1, share)
end
os.exit(0)
