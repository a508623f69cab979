-- luv with a coroutine per connection, as people wrap it by hand: a read that waits, and a write
-- that waits for its completion, so that the body reads like ours. Reading is started once: a
-- read_stop after each message would cost luv another epoll_ctl.
local uv = require "luv"

local function resume(co, ...) assert(coroutine.resume(co, ...)) end

local function serve(client)
  local co = coroutine.running()
  local arrived, ended, waiting = nil, false, false

  client:read_start(function(failure, data)
    if failure or not data then
      ended = true
    else
      arrived = arrived and arrived .. data or data
    end
    if waiting then resume(co) end
  end)

  local function read()
    if not arrived and not ended then
      waiting = true
      coroutine.yield()
      waiting = false
    end
    local data = arrived
    arrived = nil
    return data
  end

  local function write(data)
    client:write(data, function(failure) resume(co, not failure) end)
    return coroutine.yield()
  end

  while true do
    local data = read()
    if not data or not write(data) then break end
  end
  client:close()
end

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", 0))
assert(server:listen(1024, function(problem)
  assert(not problem, problem)
  local client = uv.new_tcp()
  server:accept(client)
  resume(coroutine.create(serve), client)
end))
print("127.0.0.1:" .. server:getsockname().port)
io.stdout:flush()
uv.run()
