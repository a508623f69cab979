-- Modules that are built in are loaded again after a failure.
local names = { "reactor", "reactor.net", "reactor.sys", "reactor.time", "reactor.task" }
for _, name in ipairs(names) do
  local module
  for _ = 1, 50 do
    local ok, result = pcall(require, name)
    if ok then module = result break end
    assert(result == "not enough memory", result)
  end
  if not module then error("not enough memory", 0) end
end
assert(select("#", require("reactor").metrics()) == 1)
local sys = require "reactor.sys"
local r, w = sys.pipe()
sys.close(r)
sys.close(w)
require("app").done()
