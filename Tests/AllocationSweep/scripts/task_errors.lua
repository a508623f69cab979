-- Errors in tasks: with tables as error objects, caught by join.
-- fails: code 7
local task = require "reactor.task"
local object = setmetatable({ code = 7 }, { __tostring = function(e) return "code " .. e.code end })
local ok, e = pcall(function()
  task.spawn(function() task.yield() error(object) end):join()
end)
assert(not ok)
if e == "not enough memory" then error(e, 0) end
-- The child's error is this task's outcome as well: nothing can take it back.
