-- Timers, in tasks that run at the same time.
local task, time = require "reactor.task", require "reactor.time"
local order = {}
for i = 3, 1, -1 do
  task.spawn(function() time.sleep(i / 2000) order[#order + 1] = i end)
end
time.sleep(0.01)
assert(#order == 3)
assert(time.mono() > 0 and time.now() > 0)
require("app").done()
