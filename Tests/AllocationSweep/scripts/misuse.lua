-- Errors that name the argument, from every kind of check.
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"
local function refused(text, fn, ...)
  local ok, e = pcall(fn, ...)
  assert(not ok and (e == "not enough memory" or e:find(text, 1, true)), e)
end
refused("number expected", time.sleep, "x")
refused("not a number", time.sleep, 0 / 0)
refused("function expected", task.spawn, 5)
refused("unknown option", net.listen, "127.0.0.1:0", { nope = 1 })
refused("cannot wait here", table.sort, { 2, 1 }, function() time.sleep(0) end)
refused("weak", setmetatable, {}, setmetatable({}, { __mode = "v" }))
require("app").done()
