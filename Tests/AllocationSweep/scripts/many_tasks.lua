-- More tasks than fit into the first tables, so that these grow.
local task = require "reactor.task"
local n = 0
local tasks = {}
for i = 1, 70 do tasks[i] = task.spawn(function() task.yield() n = n + 1 end) end
for i = 1, 70 do tasks[i]:join() end
assert(n == 70)
require("app").done()
