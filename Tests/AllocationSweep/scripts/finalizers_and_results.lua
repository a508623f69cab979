-- Finalizers that call leaves while the results of another leaf are on their way.
local net, sys = require "reactor.net", require "reactor.sys"
local a <close> = assert(net.udp("127.0.0.1:0"))
local b <close> = assert(net.udp("127.0.0.1:0", { peer = a:address() }))
local address, calls = b:address(), 0
local mt = { __gc = function()
  calls = calls + 1
  assert(select(2, sys.getpeername(-1)))
  assert(tostring(a):find("UDP"))
  assert(select(3, sys.getsockname(-1)) == "EBADF")
  local socket = net.udp("127.0.0.1:0")
  if socket then socket:close() end
end }
collectgarbage("setpause", 100)
collectgarbage("setstepmul", 400)
for i = 1, 25 do
  for _ = 1, 4 do setmetatable({}, mt) end
  assert(b:send("datagram " .. i .. ("."):rep(300)))
  local data, from = a:recv()
  assert(data:sub(1, 11) == ("datagram " .. i .. "..."):sub(1, 11) and from == address, from)
  local none, text, name = sys.getpeername(-1)
  assert(none == nil and text == "bad file descriptor" and name == "EBADF", text)
  local made = assert(net.udp("127.0.0.1:0"))
  assert(made:fd() >= 0, "closed too early")
  assert(made:close())
end
require("app").done()
