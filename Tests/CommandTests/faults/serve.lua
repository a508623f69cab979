-- Serves a number of clients, 100 unless told otherwise, in the same process, and counts them.
local net, task = require "reactor.net", require "reactor.task"

local count = tonumber(arg[1]) or 100
local listener = assert(net.listen "127.0.0.1:0")
local server = task.spawn(function()
  local ok, why, name = net.serve(listener, function(conn)
    for line in conn:lines() do conn:write(line .. "\n") end
  end)
  if not ok then error("serve ended: " .. why .. " " .. name) end
end)

local served, clients = 0, {}
for i = 1, count do
  clients[i] = task.spawn(function()
    local conn <close> = assert(net.connect(listener:address(), { timeout = 20 }))
    assert(conn:write("hello " .. i .. "\n", 20))
    assert(conn:readline(20) == "hello " .. i)
    served = served + 1
  end)
end
for _, client in ipairs(clients) do client:join() end
listener:close()
server:join()
print("served " .. served)
