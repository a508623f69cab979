-- Coroutines whose __close handlers close others.
local inner = false
for _ = 1, 20 do
  local previous = inner
  inner = coroutine.create(function()
    local _ <close> = setmetatable({}, {
      __close = function() if previous then assert(coroutine.close(previous)) end end,
    })
    coroutine.yield()
  end)
  assert(coroutine.resume(inner))
end
local ok, e = coroutine.close(inner)
assert(ok, e)
require("app").done()
