-- require "reactor.net": TCP, Unix and UDP sockets.
local _, native, misuse, check = ...
local time = require "reactor.time"
local net = { listen = nil }
local Connection = native.connection_methods
local connect_start, numeric = native.connect_start, native.numeric
local serve_connection = native.serve_connection

local function remaining(deadline)
  return deadline and math.max(deadline - time.mono(), 0)
end

--- Checks a table of options: `known` has the type of each.
local function check_options(options, known, what, index)
  if options == nil then return {} end
  for key, value in next, check(what, index or 2, options, "table") do
    local kind = known[key]
    if not kind then misuse(("unknown option '%s' to '%s'"):format(tostring(key), what)) end
    if type(value) ~= kind then
      local text = "bad option '%s' to '%s' (%s expected, got %s)"
      misuse(text:format(key, what, kind, type(value)))
    end
  end
  return options
end

--- Splits "host:port", "[v6]:port" and "unix:…". nil when there is no port.
local function split(address)
  local host, service = address:match("^%[(.-)%]:([^:]+)$")
  if not host then host, service = address:match("^([^:]*):([^:]+)$") end
  return host, service
end

--- Looks up a name; the answer is a list of addresses.
function net.resolve(address, timeout)
  check("resolve", 1, address, "string")
  check("resolve", 2, timeout, "timeout")
  if numeric(address) then return { address } end
  local host, service = split(address)
  if not host then return nil, "invalid address", "EINVAL" end
  local lookup <close>, err, detail = native.resolve_start(host, service)
  if not lookup then return nil, err, detail end
  return lookup:resolve_finish(timeout)
end

--- Listens at an address such as "127.0.0.1:0", "[::1]:80", "unix:/path" or "localhost:80".
function net.listen(address, options)
  check("listen", 1, address, "string")
  options = check_options(options, { backlog = "number", reuseport = "boolean" }, "listen")
  local backlog = options.backlog
  if backlog and not math.tointeger(backlog) then
    misuse "bad option 'backlog' to 'listen' (number has no integer representation)"
  end
  local list, err, detail = net.resolve(address)
  if not list then return nil, err, detail end
  return native.listen(list[1], backlog, options.reuseport)
end

local function connect_one(address, bind, timeout)
  local conn, err, detail = connect_start(address, bind)
  if not conn then return nil, err, detail end
  local ok
  ok, err, detail = conn:connect_finish(timeout)
  if not ok then return nil, err, detail end
  return conn
end

--- Connects. A name with several addresses is tried one after the other.
function net.connect(address, options)
  check("connect", 1, address, "string")
  options = check_options(options, { timeout = "number", bind = "string" }, "connect")
  local timeout = options.timeout
  if timeout and timeout ~= timeout then
    misuse "bad option 'timeout' to 'connect' (not a number, NaN)"
  end
  local deadline = timeout and time.mono() + timeout
  if numeric(address) then return connect_one(address, options.bind, timeout) end
  local list, err, detail = net.resolve(address, timeout)
  if not list then return nil, err, detail end
  local conn
  for _, candidate in ipairs(list) do
    conn, err, detail = connect_one(candidate, options.bind, remaining(deadline))
    if conn then return conn end
  end
  return nil, err, detail
end

--- A UDP socket, bound to `address` and connected to options.peer, where they are given.
function net.udp(address, options)
  if address ~= nil then check("udp", 1, address, "string") end
  options = check_options(options, { peer = "string" }, "udp")
  return native.udp(address, options.peer)
end

--- Errors of accept that never go away.
local broken = { EBADF = true, EFAULT = true, EINVAL = true, ENOTSOCK = true }

--- Accepts until the listener is closed. Each connection gets a task that runs
--- handler(connection, peer), and is closed when it ends. An error in a handler ends its own
--- connection, and is printed. A listener whose descriptor is no listener any more ends it too.
function net.serve(listener, handler, options)
  check("serve", 1, listener, "listener")
  check("serve", 2, handler, "function")
  check_options(options, {}, "serve", 3)
  local accept = native.listener_methods.accept
  local info = type(handler) == "function" and debug.getinfo(handler, "u")
  local wants_peer = not info or info.nparams > 1 or info.isvararg
  local warned
  while true do
    local conn, peer, name = accept(listener, nil, not wants_peer)
    if conn then
      serve_connection(handler, conn, peer)
    elseif peer == "closed" then
      return true
    elseif broken[name] then
      return nil, peer, name
    elseif not warned or time.mono() - warned > 10 then
      warned = time.mono()
      io.stderr:write("luareact: accept: ", peer, "; the listener goes on\n")
    end
  end
end

function Connection:readline(timeout, limit)
  check("readline", 1, self, "connection")
  check("readline", 2, timeout, "timeout")
  if limit ~= nil and not (math.type(limit) and math.tointeger(limit) and limit > 0) then
    misuse "bad argument #2 to 'readline' (limit must be a positive integer)"
  end
  local line, err, detail = self:readuntil("\n", timeout, limit)
  if not line then
    if err == "eof" and self:buffered() > 0 then return self:readall() end
    return nil, err, detail
  end
  if line:byte(-1) == 13 then line = line:sub(1, -2) end
  return line
end

--- Iterates over lines until the end of the stream.
function Connection:lines()
  check("lines", 1, self, "connection")
  return function() return self:readline() end
end

return net
