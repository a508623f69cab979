-- Handles that are dropped open, closed twice, and closed by the collector.
local net, task = require "reactor.net", require "reactor.task"
do
  local listener = assert(net.listen("127.0.0.1:0"))
  local conn = assert(net.connect(listener:address()))
  local peer = assert(listener:accept())
  assert(tostring(conn):find("connection") and tostring(listener):find("listener"))
  assert(conn:close() == true and conn:close() == false)
  assert(select(2, conn:read()) == "closed")
  assert(type(peer:fd()) == "number")
end
collectgarbage()
task.yield()
collectgarbage()
local _ = assert(net.udp("127.0.0.1:0"))
require("app").done()
