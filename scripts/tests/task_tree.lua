-- Tasks belong to the task that spawned them: scopes, failures, cancels, timeouts, shields.
local task, time = require "reactor.task", require "reactor.time"

-- A scope returns after its children, with its results.
local order = {}
local a, b = task.scope(function(x)
  task.spawn(function() time.sleep(0.02) order[#order + 1] = "child" end)
  order[#order + 1] = "body"
  return x, 2
end, 1)
assert(a == 1 and b == 2 and table.concat(order, " ") == "body child")

-- The first failure cancels the siblings, and is raised by the scope.
local cancelled = false
local ok, err = pcall(task.scope, function()
  task.spawn(function()
    local on_end <close> = setmetatable({}, { __close = function() cancelled = true end })
    time.sleep(60)
  end)
  task.spawn(function() time.sleep(0.01) error({ code = 7 }) end)
  time.sleep(60)
end)
assert(not ok and err.code == 7 and cancelled)

-- A timeout unwinds the block, after its cleanup.
local cleaned = false
local started = time.mono()
local value, why = task.timeout(0.05, function()
  local on_end <close> = setmetatable({}, { __close = function() cleaned = true end })
  for _ = 1, 1000 do pcall(time.sleep, 60) end
end)
assert(value == nil and why == "timeout" and cleaned and time.mono() - started < 5)
assert(select("#", task.timeout(5, function() return 1, nil, 3 end)) == 3)
assert(not pcall(task.timeout, 5, error, "boom"))

-- The earliest of nested deadlines wins.
value, why = task.timeout(0.05, function() return task.timeout(60, time.sleep, 60) end)
assert(value == nil and why == "timeout")

-- Cancel: every later wait raises, in `pcall` too; a shield lets cleanup wait.
local waits, shielded = 0, false
local t = task.spawn(function()
  local on_end <close> = setmetatable({}, { __close = function()
    assert(not pcall(time.sleep, 0))
    task.shield(1, function() time.sleep(0.01) shielded = true end)
  end })
  while waits < 3 do
    local fine, e = pcall(time.sleep, 60)
    assert(not fine and task.is_cancelled(e))
    waits = waits + 1
  end
  task.checkpoint()
  error "not reached"
end)
time.sleep(0.01)
assert(t:status() == "waiting" and t:cancel())
ok, err = t:result()
assert(not ok and task.is_cancelled(err) and waits == 3 and shielded)
assert(t:cancel() == false and t:status() == "ended")

-- Failures that somebody asked for stay with them.
local seen
local failing = task.spawn({ on_error = function(e) seen = e end }, error, "x")
failing:join()
assert(seen == "x")
assert(task.self() == task.self() and tostring(task.self()):find "^task")

-- Misuse is named.
for _, case in ipairs {
  { "function expected", task.spawn, 1 },
  { "unknown option 'nme'", task.spawn, { nme = 1 }, print },
  { "function expected", task.scope }, { "number expected", task.timeout, "1", print },
  { "cannot join itself", function() task.self():join() end },
} do
  local fine, message = pcall(table.unpack(case, 2))
  assert(not fine and tostring(message):find(case[1], 1, true), tostring(message))
end
