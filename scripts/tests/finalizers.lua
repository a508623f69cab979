-- Finalizers (__gc) run inside of any call that makes a value. What they do must not change what
-- another call is about to answer.
local net, sys, task = require "reactor.net", require "reactor.sys", require "reactor.task"

local function finalizer(fn) return setmetatable({}, { __gc = fn }) end

-- Steps so small and so frequent that finalizers run between the results of calls
collectgarbage("incremental", 50, 1000, 1)

local a <close> = assert(net.udp "127.0.0.1:0")
local b <close> = assert(net.udp("127.0.0.1:0", { peer = a:address() }))
local listener <close> = assert(net.listen "127.0.0.1:0")
local address, calls = b:address(), 0
local client <close> = assert(net.connect(listener:address()))
local server <close> = assert(listener:accept())

local litter = { __gc = function()
  calls = calls + 1
  -- Leaves with texts, lists, errors, handles, and one that settles the last read
  assert(a:address() ~= address and tostring(a):find "UDP")
  assert(select(3, sys.getsockname(-1)) == "EBADF")
  assert(not pcall(sys.bind, -1, {}))
  client:buffered()
  server:buffered()
  local socket = net.udp "127.0.0.1:0"
  if socket then socket:close() end
end }

for i = 1, 1500 do
  for _ = 1, 3 do setmetatable({}, litter) end
  -- Two texts
  local sent = ("datagram %d "):format(i):rep(20)
  assert(b:send(sent) == #sent)
  local data, from = a:recv()
  assert(data == sent and from == address, from)
  -- nil and two texts
  local none, text, name = sys.getsockname(-1)
  assert(none == nil and text == "bad file descriptor" and name == "EBADF", text)
  -- A handle
  local made = assert(net.udp "127.0.0.1:0")
  assert(type(made:fd()) == "number" and made:close() == true)
  -- A number that becomes a string on its way in
  assert(b:send(i + 0.5) == #tostring(i + 0.5) and a:recv() == tostring(i + 0.5))
  -- Bytes that a read took from the kernel, and from the buffer
  assert(client:write(sent .. sent))
  assert(server:read(10) == sent:sub(1, 10))
  assert(server:readn(5) == sent:sub(11, 15))
  assert(server:readuntil " " == sent:match("^(%S*) ", 16))
  assert(#assert(server:read()) > 0)
  while server:buffered() > 0 do server:read() end
end
assert(calls > 100, calls)
collectgarbage("incremental", 200, 100, 13)

-- One may spawn, make handles and drop them, and collect

local ran = 0
for _ = 1, 50 do
  finalizer(function()
    task.spawn(function() task.yield() ran = ran + 1 end)
    collectgarbage()
    local socket = net.udp "127.0.0.1:0"
    if socket then socket:close() end
  end)
end
collectgarbage()
while ran < 50 do task.yield() end

-- Handles that come back to life are handles no more

local back
do
  local socket = assert(net.udp "127.0.0.1:0")
  local holder = finalizer(function(self) back = self.socket end)
  holder.socket = socket
  socket:close()
end
collectgarbage()
collectgarbage()
if back then
  assert(not pcall(back.fd, back) or select(2, back:fd()) == "closed")
  assert(not pcall(back.close, back) or back:close() == false)
end

-- globals: left
-- What is left runs when the state is closed: nobody hears of it, and nothing breaks
left = { finalizer(function()
  pcall(task.spawn, function() error "never" end)
  pcall(net.listen, "127.0.0.1:0")
  pcall(print, "at the end")
  pcall(coroutine.wrap(function() task.yield() end))
end) }
