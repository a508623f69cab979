-- Readers of one connection are served in the order in which they came, also when one of them
-- needs several arrivals, or more than it may read in one turn.
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"
local listener <close> = assert(net.listen "127.0.0.1:0")

local function pair()
  local a = assert(net.connect(listener:address()))
  return a, assert(listener:accept())
end

--- Lets the kernel report what was sent, and everybody go on who can.
local function settle()
  for _ = 1, 5 do time.sleep(0) end
end

for _, method in ipairs { "readn", "readline", "readuntil" } do
  local near, far = pair()
  local got = {}
  for i = 1, 3 do
    task.spawn(function()
      local argument = method == "readn" and 10 or method == "readuntil" and "\n" or nil
      local text = near[method](near, argument)
      got[#got + 1] = i .. text
    end)
  end
  settle()
  far:write "first"
  settle()
  far:write(method == "readn" and "-linesecond-lin3third-lin" or "-line\nsecond-line\n3rd\n")
  settle()
  local text = table.concat(got, " ")
  assert(text == (method == "readn" and "1first-line 2second-lin 33third-lin"
    or "1first-line 2second-line 33rd"), method .. ": " .. text)
  near:close()
  far:close()
end

-- One that reads more than a turn lets others run, keeps its place, and has its deadline
do
  local near, far = pair()
  local size = 20 << 20
  local order, turns = {}, 0
  local writer = task.spawn(function()
    far:write(("x"):rep(size))
    far:write "tail"
  end)
  local counter = task.spawn(function()
    while true do
      turns = turns + 1
      task.yield()
    end
  end)
  local big = task.spawn(function()
    local data = near:readn(size)
    order[#order + 1] = #data
  end)
  local small = task.spawn(function()
    local data = near:readn(4)
    order[#order + 1] = data
  end)
  big:join()
  small:join()
  writer:join()
  counter:cancel()
  assert(order[1] == size and order[2] == "tail", table.concat(order, " "))
  assert(turns >= size / (256 << 10) / 2, turns)
  near:close()
  far:close()
end

do
  local near, far = pair()
  local flood = task.spawn(function()
    while far:write(("x"):rep(1 << 20)) do end
  end)
  assert(near:read(1))
  local data, err = near:readall(0.02)
  assert(data == nil and err == "timeout" and near:buffered() > 0)
  near:close()
  flood:join()
  far:close()
end
