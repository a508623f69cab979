-- luv the way its own manual writes a server: callbacks.
local uv = require "luv"

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", 0))
assert(server:listen(1024, function(problem)
  assert(not problem, problem)
  local client = uv.new_tcp()
  server:accept(client)
  client:read_start(function(failure, data)
    if failure or not data then return client:close() end
    client:write(data)
  end)
end))
print("127.0.0.1:" .. server:getsockname().port)
io.stdout:flush()
uv.run()
