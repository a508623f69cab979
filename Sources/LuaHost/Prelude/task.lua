-- require "reactor.task": tasks.
local _, native = ...
local task = { spawn = native.spawn, yield = native.yield, Cancelled = native.Cancelled }

function task.is_cancelled(e) return e == native.Cancelled end

return task
