-- require "reactor.net": TCP, Unix and UDP sockets.
local _, native = ...
local time = require "reactor.time"
local net = { listen = nil }
local Connection = native.connection_methods
local connect_start, numeric = native.connect_start, native.numeric
local serve_connection = native.serve_connection

local function remaining(deadline)
  return deadline and math.max(deadline - time.mono(), 0)
end

local function check_options(options, known, what)
  if options == nil then return {} end
  if type(options) ~= "table" then
    error(("bad argument #2 to '%s' (table expected, got %s)"):format(what, type(options)), 3)
  end
  for key in pairs(options) do
    if not known[key] then error(("unknown option '%s' to '%s'"):format(tostring(key), what), 3) end
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
  if type(address) ~= "string" then
    error(("bad argument #1 to 'resolve' (string expected, got %s)"):format(type(address)), 2)
  end
  if numeric(address) then return { address } end
  local host, service = split(address)
  if not host then return nil, "invalid address", "EINVAL" end
  local lookup <close>, err, detail = native.resolve_start(host, service)
  if not lookup then return nil, err, detail end
  return lookup:resolve_finish(timeout)
end

--- Listens at an address such as "127.0.0.1:0", "[::1]:80", "unix:/path" or "localhost:80".
function net.listen(address, options)
  if type(address) ~= "string" then
    error(("bad argument #1 to 'listen' (string expected, got %s)"):format(type(address)), 2)
  end
  options = check_options(options, { backlog = true, reuseport = true }, "listen")
  local list, err, detail = net.resolve(address)
  if not list then return nil, err, detail end
  return native.listen(list[1], options.backlog, options.reuseport)
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
  if type(address) ~= "string" then
    error(("bad argument #1 to 'connect' (string expected, got %s)"):format(type(address)), 2)
  end
  options = check_options(options, { timeout = true, bind = true }, "connect")
  local timeout = options.timeout
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
  options = check_options(options, { peer = true }, "udp")
  return native.udp(address, options.peer)
end

--- Errors of accept that never go away.
local broken = { EBADF = true, EFAULT = true, EINVAL = true, ENOTSOCK = true }

--- Accepts until the listener is closed. Each connection gets a task that runs
--- handler(connection, peer), and is closed when it ends. An error in a handler ends its own
--- connection, and is printed. A listener whose descriptor is no listener any more ends it too.
function net.serve(listener, handler, options)
  check_options(options, {}, "serve")
  if type(handler) ~= "function" then
    error(("bad argument #2 to 'serve' (function expected, got %s)"):format(type(handler)), 2)
  end
  local accept = native.listener_methods.accept
  native.listener_methods.fd(listener)  -- raises when it is no listener
  local info = debug.getinfo(handler, "u")
  local wants_peer = info.nparams > 1 or info.isvararg
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
  return function() return self:readline() end
end

return net
