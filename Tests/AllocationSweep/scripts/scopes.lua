-- Scopes, block deadlines and shields; a shield that failed must not stay.
local task, time = require "reactor.task", require "reactor.time"

local function passes(ok, e, expected)
  assert(not ok)
  if e ~= expected then error(e, 0) end
end

assert(task.scope(function() task.spawn(task.yield) return 3 end) == 3)
local ok, e = pcall(task.scope, function()
  task.spawn(function() error("child", 0) end)
  time.sleep(60)
end)
passes(ok, e, "child")
assert(select(2, task.timeout(0.001, time.sleep, 60)) == "timeout")
assert(task.timeout(5, function() task.yield() return "in time" end) == "in time")
local t = task.spawn(function()
  pcall(task.shield, 5, function() task.yield() task.yield() return 1, 2 end)
  time.sleep(60)
end)
task.yield()
t:cancel()
ok, e = t:result()
passes(ok, e, task.Cancelled)
local seen
task.spawn({ on_error = function(why) seen = why end }, error, "seen"):join()
assert(seen == "seen" or seen == "not enough memory")
task.spawn({ detached = true }, task.yield)
assert(task.self():status() == "running")
require("app").done()
