-- The raw verbs. Descriptors that come with other results are closed when these cannot be made.
local sys = require "reactor.sys"
local server, client, conn, a, b, passed
local _ <close> = setmetatable({}, { __close = function()
  if server then sys.close(server) end
  if client then sys.close(client) end
  if conn then sys.close(conn) end
  if a then sys.close(a) end
  if b then sys.close(b) end
  if passed then sys.close(passed) end
end })
server = sys.socket("inet", "stream")
assert(sys.bind(server, "127.0.0.1:0"))
assert(sys.listen(server))
client = sys.socket("inet", "stream")
sys.connect(client, assert(sys.getsockname(server)))
local from
repeat conn, from = sys.accept(server) until conn or from ~= "again"
assert(conn and from, from)
a, b = sys.socketpair()
assert(sys.sendmsg(a, "x", nil, nil, conn) == 1)
local data, sender, list = sys.recvmsg(b, 10)
passed = list[1]
assert(data == "x" and sender == nil and #list == 1)
require("app").done()
