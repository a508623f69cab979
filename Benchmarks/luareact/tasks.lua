-- tasks.lua KIND N: the work of one column of the tasks group.
local task, time = require "reactor.task", require "reactor.time"
local kind, n = arg[1], tonumber(arg[2])
local kinds = {}

local function nothing() end

--- n tasks, 100 at a time, whose scope waits for them.
function kinds.scope()
  local spawn = task.spawn
  local function batch()
    for _ = 1, 100 do spawn(nothing) end
  end
  for _ = 1, n / 100 do task.scope(batch) end
end

--- n tasks, each joined by its handle.
function kinds.join()
  local spawn = task.spawn
  for _ = 1, n do spawn(nothing):join() end
end

--- Two tasks that yield n times in all.
function kinds.yield()
  local yield = task.yield
  local function body()
    for _ = 1, n / 2 do yield() end
  end
  task.spawn(body)
  task.spawn(body)
end

--- n tasks that sleep at the same time.
function kinds.sleep()
  local function body(i) time.sleep(0.001 + i % 1000 / 1e6) end
  for i = 1, n do task.spawn(body, i) end
end

local function park()
  local gate = task.spawn(time.sleep, 1e9)
  local function body() gate:join() end
  for _ = 1, n do task.spawn(body) end
  time.sleep(0)
  collectgarbage()
  collectgarbage()
end

--- n tasks that wait. Says so, and ends with its standard input.
function kinds.park()
  park()
  print "parked"
  io.read()
  os.exit(0)
end

--- The longest stop of a collection that goes step by step over n parked tasks, in milliseconds
--- of processor time: of five collections, the least.
function kinds.pause()
  park()
  local least = math.huge
  for _ = 1, 5 do
    local longest, done = 0, false
    while not done do
      local start = os.clock()
      done = collectgarbage("step", 0)
      longest = math.max(longest, os.clock() - start)
    end
    least = math.min(least, longest)
  end
  print(("%.3f"):format(least * 1000))
  os.exit(0)
end

kinds[kind]()
