-- net.serve with several clients at once.
local net, task = require "reactor.net", require "reactor.task"
local listener = assert(net.listen("127.0.0.1:0"))
local address = listener:address()
task.spawn(net.serve, listener, function(conn) conn:write(assert(conn:readline()) .. "!\n") end)
local clients = {}
for i = 1, 3 do
  clients[i] = task.spawn(function()
    local conn <close> = assert(net.connect(address))
    conn:write("hello " .. i .. "\n")
    return conn:readline()
  end)
end
for i = 1, 3 do assert(clients[i]:join() == "hello " .. i .. "!") end
listener:close()
require("app").done()
