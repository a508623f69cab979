-- lua-eco: a coroutine per connection.
local eco = require "eco"
local socket = require "eco.socket"

local function serve(connection)
  while true do
    local data = connection:recv(4096)
    if not data or not connection:send(data) then break end
  end
  connection:close()
end

eco.run(function()
  local server = assert(socket.listen_tcp("127.0.0.1", 0))
  local name = assert(server:getsockname())
  print("127.0.0.1:" .. name.port)
  io.stdout:flush()
  while true do
    local connection = assert(server:accept())
    eco.run(serve, connection)
  end
end)
eco.loop()
