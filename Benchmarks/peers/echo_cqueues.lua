-- cqueues: a coroutine per connection on one controller.
local cqueues = require "cqueues"
local socket = require "cqueues.socket"

local controller = cqueues.new()
local server = assert(socket.listen { host = "127.0.0.1", port = 0 })
assert(server:listen())
local _, _, port = server:localname()
print("127.0.0.1:" .. port)
io.stdout:flush()

local function serve(connection)
  connection:setmode("bn", "bn") -- binary, unbuffered: a read returns what is there
  while true do
    local data = connection:read(-4096)
    if not data or not connection:write(data) then break end
  end
  connection:close()
end

controller:wrap(function()
  for connection in server:clients() do
    controller:wrap(serve, connection)
  end
end)
assert(controller:loop())
