-- Much garbage, with collections while tasks are parked.
local task = require "reactor.task"
local done = 0
for i = 1, 6 do
  task.spawn(function()
    local t = {}
    for j = 1, 20 do t[j] = { i, j, tostring(j) } if j % 10 == 0 then task.yield() end end
    done = done + #t
  end)
end
repeat task.yield() until done == 120
collectgarbage()
require("app").done()
