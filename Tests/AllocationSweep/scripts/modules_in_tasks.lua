-- Several tasks ask for the same module at the same time.
local task = require "reactor.task"
local loads = 0
package.preload.slow = function() loads = loads + 1 task.yield() return { value = 9 } end
local tasks = {}
for i = 1, 3 do tasks[i] = task.spawn(function() return require("slow").value end) end
for i = 1, 3 do assert(tasks[i]:join() == 9) end
assert(loads == 1)
require("app").done()
