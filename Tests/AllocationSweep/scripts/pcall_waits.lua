-- Waits below pcall and xpcall, with errors after them.
local task, time = require "reactor.task", require "reactor.time"
local ok, a = pcall(function() time.sleep(0) task.yield() return 5 end)
if not ok then error(a, 0) end
assert(a == 5)
local good, e = xpcall(function() time.sleep(0.0005) error("late", 0) end, function(m) return m end)
assert(not good and (e == "late" or e == "not enough memory"), e)
if e ~= "late" then error(e, 0) end
require("app").done()
