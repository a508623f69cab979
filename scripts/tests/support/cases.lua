-- Cases whose transcripts must be equal on real sockets and in the simulator: see worlds/README.md.
local reactor, sys = require "reactor", require "reactor.sys"
local task = require "reactor.task"

local cases = {}
local open = {} -- descriptors of the running case

local function text(value)
  if type(value) == "string" and #value > 60 then
    local sum = 0
    for i = 1, #value do sum = (sum * 31 + value:byte(i)) & 0xffffffff end
    return ("<%d bytes, sum %08x>"):format(#value, sum)
  end
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

--- Writes its arguments into the transcript.
function cases.say(...)
  local parts = table.pack(...)
  for i = 1, parts.n do parts[i] = text(parts[i]) end
  print("  " .. table.concat(parts, " "))
end

--- Has `fd` closed at the end of the case.
function cases.keep(fd, ...)
  if math.type(fd) == "integer" then open[#open + 1] = fd end
  return fd, ...
end

--- A descriptor that is registered: waits for `letters`, and runs a call that says "again".
local Socket = {}
Socket.__index = Socket

function cases.wrap(fd)
  cases.keep(fd)
  return setmetatable({ fd = fd, reg = assert(reactor.register(fd, "rw")) }, Socket)
end

function Socket:wait(letters)
  local event, err = self.reg:readiness(letters, 5)
  return event or error("no readiness for " .. letters .. ": " .. tostring(err), 2)
end

--- The names of what is ready now.
function Socket:bits(letters)
  local event, names = self:wait(letters), {}
  for _, name in ipairs { "readable", "writable", "read_closed", "write_closed", "error" } do
    if event[name] then names[#names + 1] = name end
  end
  return table.concat(names, " ")
end

function Socket:read(n) return self.reg:read_io(sys.read, self.fd, n) end
function Socket:write(bytes) return self.reg:write_io(sys.write, self.fd, bytes) end

--- Reads to the end, or to an error: all bytes, and how it ended.
function Socket:drain()
  local parts = {}
  while true do
    local bytes, err, name = self:read()
    if not bytes then return table.concat(parts), err, name end
    if bytes == "" then return table.concat(parts), "end" end
    parts[#parts + 1] = bytes
  end
end

--- Writes all of `bytes` in pieces.
function Socket:write_all(bytes)
  local sent = 0
  while sent < #bytes do
    local n, err, name = self:write(bytes:sub(sent + 1, sent + 65536))
    if not n then return nil, err, name, sent end
    sent = sent + n
  end
  return sent
end

function Socket:close()
  self.reg:deregister()
  for i, fd in ipairs(open) do
    if fd == self.fd then table.remove(open, i) end
  end
  return sys.close(self.fd)
end

--- A listening TCP socket on loopback and its address.
function cases.listener(backlog)
  local fd = assert(cases.keep(sys.socket("inet", "stream")))
  assert(sys.setsockopt(fd, "reuseaddr", 1))
  assert(sys.bind(fd, "127.0.0.1:0"))
  assert(sys.listen(fd, backlog or 16))
  return cases.wrap(fd), assert(sys.getsockname(fd))
end

--- Begins a connection, and returns it when it is established, or nil and why not.
function cases.connect(address, family)
  local fd = assert(sys.socket(family or "inet", "stream"))
  local ok, err, name = sys.connect(fd, address)
  if not ok and err ~= "again" then
    sys.close(fd)
    return nil, err, name
  end
  local socket = cases.wrap(fd)
  if not ok then
    socket:wait "w"
    local code = assert(sys.getsockopt(fd, "error"))
    if code ~= 0 then
      socket:close()
      return nil, "connect error", code
    end
  end
  return socket
end

--- Two ends of a TCP connection: the one that connected, the one that was accepted.
function cases.pair()
  local listener, address = cases.listener()
  local client = assert(cases.connect(address))
  local server = cases.wrap(assert(listener.reg:read_io(sys.accept, listener.fd)))
  listener:close()
  return client, server
end

--- Two connected streams of another kind.
function cases.socketpair(kind)
  local a, b = assert(sys.socketpair("unix", kind or "stream"))
  return cases.wrap(a), cases.wrap(b)
end

--- Bytes that differ from place to place.
function cases.bytes(count)
  local parts = {}
  for i = 1, count // 8 + 1 do parts[i] = string.pack(">I8", i * 0x9e3779b97f4a7c15) end
  return table.concat(parts):sub(1, count)
end

--- Runs one case; what it says becomes part of the transcript, its descriptors are closed.
function cases.case(name, body)
  print(name)
  local ok, err = task.spawn({ detached = true, on_error = function(e) cases.say("error", e) end },
    function()
      local _, why = task.timeout(20, body)
      if why == "timeout" then cases.say "timeout" end
    end):result()
  if not ok then cases.say("failed", err) end
  for _, fd in ipairs(open) do sys.close(fd) end
  open = {}
end

return cases
