local net = require "reactor.net"

local l <close> = assert(net.listen(arg[1] or "127.0.0.1:0"))
print(l:address())
io.stdout:flush()

net.serve(l, function(conn)
  while true do
    local data = conn:read(4096)
    if not data then break end
    conn:write(data)
  end
end)
