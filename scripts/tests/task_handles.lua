-- What a handle tells stays true whoever drops it, collects it, or uses its task's slot again.
local task = require "reactor.task"

local function collect()
  collectgarbage()
  collectgarbage()
end

-- A task without results: nothing is told to its handle, which still knows that it has ended.
local silent = task.spawn(function() end)
assert(silent:status() == "ready" and select("#", silent:join()) == 0)
local later = task.spawn(task.yield) -- takes the slot
assert(silent:status() == "ended" and not silent:cancel() and tostring(silent) == "task (ended)")
assert(select("#", silent:join()) == 0 and later:status() == "ready")
assert(select("#", silent:join(0)) == 0 and select("#", silent:result()) == 1)
later:join()

-- Results wait in the handle, also while other tasks come and go in the slot.
local three = task.spawn(function() return 1, nil, 3 end)
local none = task.spawn(function() return nil end)
task.yield()
for _ = 1, 10 do task.spawn(function() return "other" end):join() end
collect()
assert(select("#", three:join()) == 3 and select(3, three:join()) == 3)
assert(select("#", none:join()) == 1 and none:join() == nil)

-- A dropped handle is collected, its task is not.
local ran = 0
for _ = 1, 100 do
  task.spawn(function()
    task.yield()
    ran = ran + 1
    return "nobody asks"
  end)
end
collect()
task.yield()
task.yield()
assert(ran == 100)

-- What a task knows as itself lives as long as the task, and no longer.
local notes = setmetatable({}, { __mode = "k" })
local seen, released = nil, false
local gate = task.spawn(function()
  while not released do task.yield() end
end)
task.spawn(function()
  notes[task.self()] = "mine"
  gate:join()
  seen = notes[task.self()]
end)
task.yield()
collect()
assert(next(notes))
released = true
gate:join()
task.yield()
collect()
assert(seen == "mine" and next(notes) == nil)
local t = task.spawn(function() return task.self() end)
assert(t:join() == t)

-- Errors reach the scope unchanged, past tasks that nobody holds.
local object = { "error" }
local function fails_below(e)
  return pcall(task.scope, function()
    task.spawn(function()
      task.spawn(function()
        task.yield()
        collect()
        error(e)
      end)
    end)
  end)
end
local ok, e = fails_below(object)
assert(not ok and e == object)
ok, e = fails_below(nil)
assert(not ok and e == nil)
ok, e = fails_below(false)
assert(not ok and e == false)
