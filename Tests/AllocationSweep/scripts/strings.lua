-- Numbers as strings and strings as numbers in arguments, with finalizers that call leaves.
local net, task = require "reactor.net", require "reactor.task"
local listener <close> = assert(net.listen("127.0.0.1:0"))
local address = listener:address()
local function litter()
  setmetatable({}, { __gc = function() tostring(listener) listener:address() end })
end
task.spawn(function()
  local conn <close> = assert(listener:accept())
  for _ = 1, 20 do
    litter()
    conn:write(1234567)
    conn:write(0.5)
  end
end)
local conn <close> = assert(net.connect(address))
for _ = 1, 20 do
  litter()
  assert(conn:readn("7") == "1234567")
  assert(conn:readn(3) == "0.5")
  assert(listener:address() == address)
end
require("app").done()
