-- Tasks with arguments and results of several kinds, joined and not joined.
local task = require "reactor.task"
local t = {}
for i = 1, 3 do
  t[i] = task.spawn(function(a, b) task.yield() return a + b, "x" .. a end, i, i * 10)
end
for i = 1, 3 do
  local sum, text = t[i]:join()
  assert(sum == i * 11 and text == "x" .. i)
end
assert(t[1]:status() == "ended")
assert(select("#", task.spawn(function() return 1, nil, nil end):join()) == 3)
assert(select("#", task.spawn(function() end):join()) == 0)
task.spawn(task.yield)
require("app").done()
