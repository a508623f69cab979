-- TFTP, client and server: RFC 1350 with the options of RFC 2347 (negotiation), 2348 (blksize),
-- 2349 (timeout, tsize) and 7440 (windowsize).
--
--   local tftp = require "protocols.tftp"
--   local data, err = tftp.get("127.0.0.1:6969", "motd")       -- or nil, text, TFTP error code
--   assert(tftp.put("127.0.0.1:6969", "report", data))
--   tftp.serve(assert(net.udp "127.0.0.1:6969"), tftp.folder "/srv/tftp")
--
-- Who sends repeats the window when no acknowledgement comes in time, and never because one came
-- twice (RFC 1123, 4.2.3.1); block numbers wrap, so that a transfer may have any length. A transfer
-- is in memory while it runs. There is no authentication: serve a folder that everybody may see.
local net, task = require "reactor.net", require "reactor.task"
local Transfer = require "protocols.tftp.transfer"

local RRQ, WRQ, DATA, ACK, OACK = 1, 2, 3, 4, 6
local NOT_FOUND, ACCESS, FULL, ILLEGAL, EXISTS, BAD_OPTION = 1, 2, 3, 4, 6, 8

local tftp = { NOT_FOUND = NOT_FOUND, ACCESS = ACCESS, FULL = FULL, EXISTS = EXISTS }

-- Modes --------------------------------------------------------------------------------------

--- netascii (RFC 764): a line ends with CR LF, a CR is CR NUL.
local function to_netascii(text)
  return (text:gsub("[\r\n]", { ["\n"] = "\r\n", ["\r"] = "\r\0" }))
end

local function from_netascii(text)
  return (text:gsub("\r([\n\0])", { ["\n"] = "\n", ["\0"] = "\r" }))
end

-- Client -------------------------------------------------------------------------------------

local known = { blksize = true, windowsize = true, timeout = true, attempts = true, limit = true }

local function check(options, name)
  options = options or {}
  for key, value in pairs(options) do
    if not known[key] then error(("unknown option '%s' to '%s'"):format(key, name), 3) end
    local limits = Transfer.LIMITS[key]
    local integral = key == "timeout" or math.type(value) == "integer"
    if type(value) ~= "number" or not integral or value <= 0 then
      error(("bad option '%s' to '%s' (positive number expected)"):format(key, name), 3)
    elseif limits and key ~= "timeout" and (value < limits[1] or value > limits[2]) then
      error(("bad option '%s' to '%s' (%d to %d)"):format(key, name, limits[1], limits[2]), 3)
    end
  end
  return options
end

--- Opens a socket for one transfer with a server, whose name is looked up.
local function open(address, options)
  local list, err, name = net.resolve(address)
  if not list then return nil, err, name end
  local socket
  socket, err, name = net.udp(list[1]:find "^%[" and "[::]:0" or "0.0.0.0:0")
  if not socket then return nil, err, name end
  local self = Transfer.new(socket, nil, options)
  self.server = list[1]
  return self
end

--- What a request asks for. A timeout that the protocol cannot carry stays this end's own.
local function asked_for(options, tsize)
  local timeout = math.tointeger(options.timeout)
  if timeout and timeout > Transfer.LIMITS.timeout[2] then timeout = nil end
  local asked = { blksize = options.blksize, windowsize = options.windowsize, timeout = timeout }
  if next(asked) then asked.tsize = tsize end
  return asked
end

local function request(kind, file, asked)
  return string.pack(">I2zz", kind, file, "octet") .. Transfer.options_text(asked)
end

--- Fetches a file. Options: blksize (8 to 65,464 bytes), windowsize (1 to 65,535 blocks),
--- timeout (seconds of silence before a repetition, 1), attempts (10), limit (bytes, 1 GiB).
--- Returns the content, or nil, text, code: "timeout", the server's words, or the system's.
--- For two timeouts more, a child of the running task repeats the last acknowledgement.
function tftp.get(address, file, options)
  options = check(options, "get")
  local self <close>, err, name = open(address, options)
  if not self then return nil, err, name end
  local asked = asked_for(options, 0)

  local first, text, code = self:ask(request(RRQ, file, asked), function(kind, number, packet)
    if kind == OACK or kind == DATA and number == 1 then return packet end
  end)
  if not first then return nil, text, code end
  if string.unpack(">I2", first) == OACK then
    if not self:agree(first, asked) then return self:fail(BAD_OPTION, "options refused") end
    self:send(string.pack(">I2I2", ACK, 0))
    first = nil
  end
  local data
  data, text, code = self:receive_data(first, options.limit or 1 << 30)
  if not data then return nil, text, code end
  self.dallies = true
  task.spawn(self.dally, self)
  return data
end

--- Stores `data` as a file of the server. Options as for `get`. Returns true or nil, text, code.
function tftp.put(address, file, data, options)
  options = check(options, "put")
  local self <close>, err, name = open(address, options)
  if not self then return nil, err, name end
  local asked = asked_for(options, #data)

  local answer, text, code = self:ask(request(WRQ, file, asked), function(kind, number, packet)
    if kind == OACK or kind == ACK and number == 0 then return packet end
  end)
  if not answer then return nil, text, code end
  if string.unpack(">I2", answer) == OACK and not self:agree(answer, asked) then
    return self:fail(BAD_OPTION, "options refused")
  end
  return self:send_data(data)
end

-- Server -------------------------------------------------------------------------------------

local function answer_read(self, file, wanted, files, convert)
  local data, code, text = files.read(file)
  if not data then return self:fail(code or NOT_FOUND, text or "file not found") end
  data = convert(data)
  local agreed = self:negotiate(wanted, #data)
  if agreed then
    local ok, err = self:ask(agreed, function(kind, number) return kind == ACK and number == 0 end)
    if not ok then return nil, err end
  end
  return self:send_data(data)
end

local function answer_write(self, file, wanted, files, convert)
  if not files.write then return self:fail(ACCESS, "read only") end
  local began = self:negotiate(wanted) or string.pack(">I2I2", ACK, 0)
  local first, err = self:ask(began, function(kind, number, packet)
    return kind == DATA and number == 1 and packet
  end)
  if not first then return nil, err end
  local commit = function(data) return files.write(file, convert(data)) end
  local data, text = self:receive_data(first, files.limit or 1 << 30, commit)
  if not data then return nil, text end
  self.dallies = true
  self:dally()
  return true
end

--- Answers one request: a socket and a task of its own for each transfer.
local function answer(packet, peer, here, files)
  local ok, kind, file, mode, place = pcall(string.unpack, ">I2zz", packet)
  if not ok or kind ~= RRQ and kind ~= WRQ then return end
  local socket = assert(net.udp(here))
  local self <close> = Transfer.new(socket, peer, files)
  local wanted = Transfer.parse_options(packet, place)
  mode = mode:lower()
  if not wanted or mode ~= "octet" and mode ~= "netascii" then
    return self:fail(ILLEGAL, wanted and "unknown mode" or "malformed options")
  end
  local ascii = mode == "netascii"
  if kind == RRQ then
    return answer_read(self, file, wanted, files, ascii and to_netascii or tostring)
  end
  return answer_write(self, file, wanted, files, ascii and from_netascii or tostring)
end

--- Answers requests on a UDP socket until it is closed, then returns true. `files` has
---   read(name) -> content, or nil, code, text        (tftp.NOT_FOUND, ACCESS …)
---   write(name, content) -> true, or nil, code, text (absent: read only)
--- and may have timeout, attempts (as for `get`), limit (bytes of a file that is written), and
--- on_end(peer, err), which is called after each transfer.
function tftp.serve(socket, files)
  local here = assert(socket:address()):gsub(":%d+$", ":0")
  local busy = {} -- peers whose request is being answered: the same one again is a repetition
  while true do
    local packet, peer, name = socket:recv()
    if not packet and peer == "closed" then return true end
    if not packet and name ~= "ECONNREFUSED" then return nil, peer, name end
    if packet and not busy[peer] then
      busy[peer] = true
      task.spawn(function()
        local done <close> = setmetatable({}, { __close = function() busy[peer] = nil end })
        local ok, err = answer(packet, peer, here, files)
        if files.on_end then files.on_end(peer, not ok and err or nil) end
      end)
    end
  end
end

--- Files of a folder, for `serve`: to read, and to write with { write = true }. Names that would
--- lead out of it are refused.
function tftp.folder(path, options)
  local function inside(name)
    name = name:gsub("^/+", "")
    if name == "" or name:find("%z") or ("/" .. name .. "/"):find("/..?/") then return nil end
    return path .. "/" .. name
  end
  local files = {}
  function files.read(name)
    local full = inside(name)
    if not full then return nil, ACCESS, "access violation" end
    local file <close>, _, code = io.open(full, "rb")
    if not file then
      return nil, code == 13 and ACCESS or NOT_FOUND, code == 13 and "access violation"
    end
    local data = file:read "a"
    if not data then return nil, NOT_FOUND, "not a file" end
    return data
  end
  if options and options.write then
    function files.write(name, data)
      local full = inside(name)
      if not full then return nil, ACCESS, "access violation" end
      local file <close>, text = io.open(full, "wb")
      if not file then return nil, ACCESS, text end
      local ok
      ok, text = file:write(data)
      if ok then ok, text = file:close() end
      if not ok then return nil, FULL, text end
      return true
    end
  end
  return files
end

return tftp
