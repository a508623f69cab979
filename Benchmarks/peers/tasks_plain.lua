-- tasks_plain.lua KIND N: coroutines of stock Lua, resumed by hand; nothing waits.
local kind, n = arg[1], tonumber(arg[2])
local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield
local kinds = {}

local function nothing() end

function kinds.scope()
  for _ = 1, n do resume(create(nothing)) end
end

kinds.join = kinds.scope

function kinds.yield()
  local function body()
    for _ = 1, n / 2 do yield() end
  end
  local a, b = create(body), create(body)
  for _ = 1, n / 2 do
    resume(a)
    resume(b)
  end
end

function kinds.park()
  local parked = {}
  for i = 1, n do
    parked[i] = create(yield)
    resume(parked[i])
  end
  collectgarbage()
  collectgarbage()
  print "parked"
  io.stdout:flush()
  io.read()
  return parked
end

kinds[kind]()
