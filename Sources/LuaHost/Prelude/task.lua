-- require "reactor.task": tasks, which belong to the task that spawned them.
local _, native, misuse, check = ...
local Cancelled = native.Cancelled
local spawn, spawn_detached, spawn_observed =
  native.spawn, native.spawn_detached, native.spawn_observed
local Task = native.task_methods
local task = { yield = native.yield, self = native.self, Cancelled = Cancelled }

--- Whether an error is the one that a cancel raises.
function task.is_cancelled(e) return e == Cancelled end

--- Lets the others run, and raises when the task was cancelled.
function task.checkpoint() native.yield() end

local known = { detached = true, on_error = true }

local function spawn_with(options, fn, ...)
  for key in next, options do
    if not known[key] then misuse(("unknown option '%s' to 'spawn'"):format(tostring(key))) end
  end
  check("spawn", 2, fn, "function")
  local on_error = options.on_error
  if not on_error then return (options.detached and spawn_detached or spawn)(fn, ...) end
  local function body(...)
    local results = table.pack(pcall(fn, ...))
    if results[1] then return table.unpack(results, 2, results.n) end
    if results[2] == Cancelled then error(Cancelled, 0) end
    on_error(results[2])
  end
  return (options.detached and spawn_detached or spawn)(body, ...)
end

--- Starts fn(...) as a task of its own: a child of the running task, or on its own with
--- { detached = true }; { on_error = f } hands its failure to f.
task.spawn = native.make_spawn(spawn_with)

local function outcome(ok, ...)
  -- A cancel of the caller is not the outcome of the task that it waits for.
  if not ok and (...) == Cancelled and native.cancelled() then error(Cancelled, 0) end
  return ok, ...
end

--- Waits for the end: true and the results, or false and the error.
function Task:result()
  check("result", 1, self, "task")
  return outcome(pcall(Task.join, self))
end

--- Runs fn(...) and waits for it and for every task that it spawned. The first error cancels
--- the rest, and is raised here.
function task.scope(fn, ...)
  check("scope", 1, fn, "function")
  return spawn_observed(fn, ...):join()
end

--- Runs fn(...) for at most `seconds` (nil: no limit). When the time is over, it and its
--- children are cancelled; after their cleanup this returns nil, "timeout".
function task.timeout(seconds, fn, ...)
  check("timeout", 1, seconds, "timeout")
  check("timeout", 2, fn, "function")
  local body = spawn_observed(fn, ...)
  local results = table.pack(body:join(seconds))
  if body:status() == "ended" then return table.unpack(results, 1, results.n) end
  body:cancel()
  local ok, err = body:result()
  if not ok and err ~= Cancelled then error(err, 0) end
  return nil, "timeout"
end

-- Ends a shield however its block ends. It exists before: a shield that could not be ended for
-- want of memory would keep its task from ever being cancelled.
local unshield = setmetatable({}, { __close = function() native.shield(false) end })

--- Runs fn(...) for at most `seconds` while cancels of the running task wait for its end.
function task.shield(seconds, fn, ...)
  check("shield", 1, seconds, "timeout")
  check("shield", 2, fn, "function")
  local _ <close> = unshield
  native.shield(true)
  return task.timeout(seconds, fn, ...)
end

return task
