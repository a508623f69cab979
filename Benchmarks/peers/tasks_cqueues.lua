-- tasks_cqueues.lua KIND N: coroutines of a cqueues controller.
local cqueues, condition = require "cqueues", require "cqueues.condition"
local kind, n = arg[1], tonumber(arg[2])
local kinds = {}

local function nothing() end

function kinds.scope()
  local loop = cqueues.new()
  for _ = 1, n / 100 do
    for _ = 1, 100 do loop:wrap(nothing) end
    assert(loop:loop())
  end
end

function kinds.yield()
  local loop = cqueues.new()
  local function body()
    for _ = 1, n / 2 do cqueues.sleep(0) end
  end
  loop:wrap(body)
  loop:wrap(body)
  assert(loop:loop())
end

function kinds.sleep()
  local loop = cqueues.new()
  for i = 1, n do
    loop:wrap(function() cqueues.sleep(0.001 + i % 1000 / 1e6) end)
  end
  assert(loop:loop())
end

function kinds.park()
  local loop, gate = cqueues.new(), condition.new()
  local function body() gate:wait() end
  for _ = 1, n do loop:wrap(body) end
  assert(loop:step(0))
  collectgarbage()
  collectgarbage()
  print "parked"
  io.stdout:flush()
  io.read()
  os.exit(loop:count() == n)
end

kinds[kind]()
