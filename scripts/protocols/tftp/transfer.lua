-- One transfer of TFTP: packets, options, and the two loops that send and receive blocks. What
-- `protocols.tftp` is made of; not for use on its own.
local time = require "reactor.time"

local DATA, ACK, ERROR, OACK = 3, 4, 5, 6
local UNDEFINED, FULL, ILLEGAL, UNKNOWN_TID = 0, 3, 4, 5

local LIMITS = { blksize = { 8, 65464 }, windowsize = { 1, 65535 }, timeout = { 1, 255 } }
local ORDER = { "blksize", "windowsize", "timeout", "tsize" }
local NEGOTIABLE = { "blksize", "windowsize", "timeout" }

-- Packets ------------------------------------------------------------------------------------

--- Options as a request or an OACK carries them.
local function options_text(options)
  local parts = {}
  for _, name in ipairs(ORDER) do
    if options[name] then parts[#parts + 1] = string.pack("zz", name, tostring(options[name])) end
  end
  return table.concat(parts)
end

--- The pairs of a request or an OACK from `place` on, their names in small letters.
local function parse_options(packet, place)
  local options = {}
  while place <= #packet do
    local ok, name, value, after = pcall(string.unpack, "zz", packet, place)
    if not ok then return nil end
    options[name:lower()], place = value, after
  end
  return options
end

local function error_packet(code, text) return string.pack(">I2I2z", ERROR, code, text) end

local function parse_error(packet)
  local ok, _, code, text = pcall(string.unpack, ">I2I2z", packet)
  if ok then return code, text end
  return UNDEFINED, "error without a text"
end

-- Transfers ----------------------------------------------------------------------------------

-- One transfer: the socket of this end, the peer (nil until its first answer), how large a block
-- is, how many blocks go out before an acknowledgement, how long to wait for it, how often to try.
local Transfer = {}
Transfer.__index = Transfer

function Transfer.new(socket, peer, options)
  return setmetatable({
    socket = socket,
    peer = peer,
    blksize = 512,
    windowsize = 1,
    timeout = options.timeout or 1,
    attempts = options.attempts or 10,
  }, Transfer)
end

function Transfer:__close()
  if not self.dallies then self.socket:close() end
end

function Transfer:send(packet) return self.socket:send(packet, self.peer or self.server) end

function Transfer:fail(code, text)
  self:send(error_packet(code, text))
  return nil, text, code
end

--- The next packet of the peer until `deadline`: its kind, its number, the packet. Strangers are
--- told so, and disturb nothing. nil, "timeout"; nil and the peer's error.
function Transfer:receive(deadline)
  while true do
    local packet, from, name = self.socket:recv(deadline - time.mono())
    if not packet then
      if name ~= "ECONNREFUSED" then return nil, from, name end
    elseif self.peer and from ~= self.peer then
      self.socket:send(error_packet(UNKNOWN_TID, "unknown transfer"), from)
    elseif #packet >= 4 then
      self.peer = from
      local kind, number = string.unpack(">I2I2", packet)
      if kind == ERROR then
        local code, text = parse_error(packet)
        return nil, text, code
      end
      return kind, number, packet
    end
  end
end

--- Sends `packet` until something comes that `expects(kind, number, packet)` takes, and returns
--- what it returned. Waits twice as long after each silence.
function Transfer:ask(packet, expects)
  local wait = self.timeout
  for _ = 1, self.attempts do
    local ok, err, name = self:send(packet)
    if not ok and name ~= "ECONNREFUSED" then return nil, err, name end
    local deadline = time.mono() + wait
    while true do
      local kind, number, answer = self:receive(deadline)
      if not kind and number ~= "timeout" then return nil, number, answer end
      if not kind then break end
      local result = expects(kind, number, answer)
      if result then return result end
    end
    wait = math.min(wait * 2, self.timeout * 8)
  end
  return nil, "timeout"
end

--- Takes over what the peer agreed to. nil when it agreed to what nobody asked for.
function Transfer:agree(packet, asked)
  local options = parse_options(packet, 3)
  if not options then return nil end
  for _, name in ipairs(NEGOTIABLE) do
    local limits, value = LIMITS[name], math.tointeger(tonumber(options[name]))
    if options[name] then
      local largest = name == "timeout" and limits[2] or asked[name]
      if not value or not largest or value < limits[1] or value > largest then return nil end
      self[name] = value
    end
  end
  return true
end

--- Sends all of `data`: windows of blocks, each acknowledged by the number of its last block.
function Transfer:send_data(data)
  local count = #data // self.blksize + 1 -- the last block is short, empty if need be
  local acknowledged, wait, silences = 0, self.timeout, 0
  while acknowledged < count do
    local last = math.min(acknowledged + self.windowsize, count)
    for block = acknowledged + 1, last do
      local from = (block - 1) * self.blksize
      local part = data:sub(from + 1, from + self.blksize)
      local ok, err, name = self:send(string.pack(">I2I2", DATA, block & 0xffff) .. part)
      if not ok and name ~= "ECONNREFUSED" then return nil, err, name end
    end
    local deadline = time.mono() + wait
    while true do
      local kind, number, answer = self:receive(deadline)
      if not kind and number ~= "timeout" then return nil, number, answer end
      if not kind then
        silences, wait = silences + 1, math.min(wait * 2, self.timeout * 8)
        if silences >= self.attempts then return nil, "timeout" end
        break
      end
      local gain = (number - acknowledged) & 0xffff
      if kind == ACK and gain > 0 and gain <= last - acknowledged then
        acknowledged, wait, silences = acknowledged + gain, self.timeout, 0
        break
      end -- an old one, or one that came twice, sends nothing
    end
  end
  return true
end

--- Receives blocks up to the short one. `first` is a packet that has come already. `commit(data)`
--- is called before the last acknowledgement, so that it says that the data is safe.
--- Returns the data; the caller stays to repeat the last acknowledgement: see `dally`.
function Transfer:receive_data(first, limit, commit)
  local parts, count, size = {}, 0, 0
  local wait, silences, since, gap = self.timeout, 0, 0, nil
  local kind, number, packet = DATA, nil, first
  if first then number = string.unpack(">I2", first, 3) end
  while true do
    if not first then
      kind, number, packet = self:receive(time.mono() + wait)
    end
    first = nil
    local answer = false
    if not kind and number ~= "timeout" then return nil, number, packet end
    if not kind then
      silences, wait = silences + 1, math.min(wait * 2, self.timeout * 8)
      if silences >= self.attempts then return nil, "timeout" end
      answer = true
    elseif kind == DATA and number == (count + 1) & 0xffff then
      local part = packet:sub(5)
      count, size, silences, wait = count + 1, size + #part, 0, self.timeout
      parts[count] = part
      since, gap = since + 1, nil
      if #part > self.blksize then return self:fail(ILLEGAL, "block too long") end
      if size > limit then return self:fail(FULL, "file too large") end
      if #part < self.blksize then
        local data = table.concat(parts)
        local ok, code, text
        if commit then
          ok, code, text = commit(data)
          if not ok then return self:fail(code or UNDEFINED, text or "not stored") end
        end
        self.last = string.pack(">I2I2", ACK, count & 0xffff)
        self:send(self.last)
        return data
      end
      answer = since >= self.windowsize
    elseif kind == DATA then
      -- One block twice, or one too far: the last good one is acknowledged, once for each gap.
      answer = gap ~= count or number == count & 0xffff
      gap = count
    elseif kind == OACK then
      answer = count == 0 -- our acknowledgement of the options was lost
    end
    if answer then
      since = 0
      self:send(string.pack(">I2I2", ACK, count & 0xffff))
    end
  end
end

--- Repeats the last acknowledgement for as long as the peer may need it.
function Transfer:dally()
  local socket <close> = self.socket
  local deadline = time.mono() + self.timeout * 2
  while true do
    local kind, err = self:receive(deadline)
    if not kind and (err == "timeout" or err == "closed") then return end
    if kind == DATA then self:send(self.last) end
  end
end

--- Agrees to what a request asks for, where it can be had. Returns the OACK, or nil for none.
function Transfer:negotiate(wanted, size)
  local agreed = {}
  for _, name in ipairs(NEGOTIABLE) do
    local limits, value = LIMITS[name], math.tointeger(tonumber(wanted[name]))
    if value and value >= limits[1] then
      if name ~= "timeout" then value = math.min(value, limits[2]) end
      if value <= limits[2] then agreed[name], self[name] = value, value end
    end
  end
  if wanted.tsize then agreed.tsize = size or wanted.tsize end
  return next(agreed) and string.pack(">I2", OACK) .. options_text(agreed)
end

Transfer.LIMITS = LIMITS
Transfer.options_text = options_text
Transfer.parse_options = parse_options

return Transfer
