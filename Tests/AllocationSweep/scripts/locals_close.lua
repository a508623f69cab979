-- __close handlers that wait, on a normal end and while an error unwinds.
local task = require "reactor.task"
local closed = {}
local function closing(name)
  return setmetatable({}, { __close = function() task.yield() closed[#closed + 1] = name end })
end
do local _ <close> = closing("normal") end
local ok, e = pcall(function()
  local _ <close> = closing("error")
  error("unwound", 0)
end)
assert(not ok)
if e ~= "unwound" then error(e, 0) end
assert(table.concat(closed, " ") == "normal error")
require("app").done()
