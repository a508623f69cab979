-- Waits inside generators, three deep.
local task = require "reactor.task"
local function count(n, depth)
  return coroutine.wrap(function()
    for i = 1, n do
      if depth > 0 then
        for j in count(2, depth - 1) do coroutine.yield(i * 10 + j) end
      else
        task.yield()
        coroutine.yield(i)
      end
    end
  end)
end
local sum = 0
for i in count(2, 2) do sum = sum + i end
assert(sum == 252, sum)
local co = coroutine.create(function(a) task.yield() return a + coroutine.yield(a) end)
local ok, v = coroutine.resume(co, 3)
if not ok then error(v, 0) end
ok, v = coroutine.resume(co, 4)
if not ok then error(v, 0) end
assert(v == 7)
require("app").done()
