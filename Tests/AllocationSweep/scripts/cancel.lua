-- Cancelled tasks run their __close handlers, which may fail.
local task, time = require "reactor.task", require "reactor.time"
local closed = 0
local t = task.spawn(function()
  local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
  task.spawn(function() time.sleep(60) end)
  time.sleep(60)
end)
task.yield()
t:cancel()
local ok, e = pcall(t.join, t)
assert(not ok)
if not task.is_cancelled(e) then error(e, 0) end
assert(closed == 1)
require("app").done()
