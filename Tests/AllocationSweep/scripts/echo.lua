-- A TCP echo on loopback, server and client in one process.
local net, task = require "reactor.net", require "reactor.task"
local listener <close> = assert(net.listen("127.0.0.1:0"))
local server = task.spawn(function()
  local conn <close> = assert(listener:accept())
  while true do
    local data, err = conn:read(4096)
    if not data then assert(err == "eof") return end
    assert(conn:write(data))
  end
end)
local conn <close> = assert(net.connect(listener:address()))
for i = 1, 3 do
  local text = ("m"):rep(50 * i)
  assert(conn:write(text) == #text)
  assert(conn:readn(#text) == text)
end
conn:shutdown()
assert(conn:read() == nil)
server:join()
require("app").done()
