-- Finalizers that spawn, make handles, and fail.
local net, task = require "reactor.net", require "reactor.task"
local spawned, made = 0, 0
for i = 1, 30 do
  setmetatable({}, { __gc = function()
    if i % 3 == 0 then error("in a finalizer") end
    if i % 3 == 1 then
      local ok, socket = pcall(net.udp, "127.0.0.1:0")
      if ok and socket then made = made + 1 socket:close() end
    end
    pcall(task.spawn, function() spawned = spawned + 1 end)
  end })
  local socket = assert(net.udp("127.0.0.1:0"))
  assert(socket:fd() >= 0 and socket:close())
end
collectgarbage()
task.yield()
require("app").done()
