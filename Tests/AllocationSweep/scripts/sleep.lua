-- Timers, in tasks that run at the same time.
local task, time = require "reactor.task", require "reactor.time"
local order, tasks = {}, {}
for i = 3, 1, -1 do
  tasks[i] = task.spawn(function() time.sleep(i / 2000) order[#order + 1] = i end)
end
for i = 1, 3 do tasks[i]:join() end
assert(#order == 3)
assert(time.mono() > 0 and time.now() > 0)
require("app").done()
