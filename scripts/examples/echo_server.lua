-- Sends every byte back to whoever sent it.
--   luareact scripts/examples/echo_server.lua [HOST:PORT]
-- Port 0 takes a free one; the first line printed says which.
local net = require "reactor.net"

local address = ... or "127.0.0.1:7777"
local listener <close> = assert(net.listen(address))
print("listening on " .. listener:address())

-- Each connection is a task of its own: it waits in read and write, and the others go on.
net.serve(listener, function(conn)
  local data = conn:read(4096)
  while data and conn:write(data) do
    data = conn:read(4096)
  end
end)
