-- Lines: short, long, with carriage returns, and the last one without an end.
local net, task = require "reactor.net", require "reactor.task"
local listener <close> = assert(net.listen("127.0.0.1:0"))
task.spawn(function()
  local conn <close> = assert(listener:accept())
  conn:write("one\r\ntwo\n" .. ("x"):rep(3000) .. "\nlast")
end)
local conn <close> = assert(net.connect(listener:address()))
local lines = {}
for line in conn:lines() do lines[#lines + 1] = line end
assert(#lines == 4 and lines[1] == "one" and #lines[3] == 3000 and lines[4] == "last")
require("app").done()
