-- Bytes that a read did not take stay in the stream, also when there is no memory for the string.
local net, task = require "reactor.net", require "reactor.task"
local listener <close> = assert(net.listen("127.0.0.1:0"))
task.spawn(function()
  local conn <close> = assert(listener:accept())
  conn:write("0123456789abcdefghijklmnopqrstuvwxyz")
end)
local conn <close> = assert(net.connect(listener:address()))
local got, failures = "", 0
while #got < 36 do
  local ok, data, err = pcall(conn.read, conn, 5)
  -- Nothing may be lost, and nothing may come twice.
  if ok then got = got .. assert(data, err) end
  if not ok then
    assert(data == "not enough memory", data)
    failures = failures + 1
    assert(failures < 50, data)
    task.yield()
  end
  if #got == 10 then conn:unread("AB") got = got .. conn:readn(2) end
end
assert(got == "0123456789ABabcdefghijklmnopqrstuvwxy", got)
assert(conn:readall() == "z")
assert(conn:buffered() == 0)
require("app").done()
