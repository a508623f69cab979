-- require "reactor": registrations of descriptors, and the events that they report.
local _, native, misuse, check = ...
local reactor = {}

-- Bits of Ready (Sources/Reactor/System/Ready.swift).
local READABLE, WRITABLE, READ_CLOSED, WRITE_CLOSED, PRIORITY, ERROR = 1, 2, 4, 8, 16, 0xE0

local Event = { __name = "ready event" }
local bits = {
  readable = READABLE | READ_CLOSED, writable = WRITABLE | WRITE_CLOSED,
  read_closed = READ_CLOSED, write_closed = WRITE_CLOSED, priority = PRIORITY, error = ERROR,
}

function Event:__index(name)
  local mask = bits[name]
  return mask and self[1] & mask ~= 0
end

local names_in_order = {
  "readable", "writable", "read_closed", "write_closed", "priority", "error",
}

function Event:__tostring()
  local names = {}
  for _, name in ipairs(names_in_order) do
    if self[1] & bits[name] ~= 0 then names[#names + 1] = name end
  end
  return "ready event (" .. table.concat(names, ", ") .. ")"
end

local function event(ready, read_generation, write_generation, token)
  if not ready then return nil, read_generation, write_generation end
  return setmetatable({ ready, read_generation, write_generation, token }, Event)
end

local Registration = native.registration_methods
-- Kept where they are found when this module is loaded again, after it had too little memory.
if not native.raw then
  local raw = {}
  for name, method in next, Registration do raw[name] = method end
  native.raw = raw
end
local raw = native.raw

--- Waits for any of `interest`'s letters (r w p c e). nil, "timeout" after `timeout` seconds.
function Registration:readiness(...) return event(raw.readiness(self, ...)) end
function Registration:readable(...) return event(raw.readable(self, ...)) end
function Registration:writable(...) return event(raw.writable(self, ...)) end

--- The event that there is now, or nil. Never waits.
function Registration:poll_read_ready() return event(raw.poll_read_ready(self)) end
function Registration:poll_write_ready() return event(raw.poll_write_ready(self)) end

--- Clears what `ev` saw, in each direction that was not reported anew since.
function Registration:clear_readiness(ev)
  check("clear_readiness", 1, self, "registration")
  if getmetatable(ev) ~= Event then
    local text = "bad argument #1 to 'clear_readiness' (ready event expected, got %s)"
    misuse(text:format(type(ev)))
  end
  return raw.clear_readiness(self, ev[1], ev[2], ev[3], ev[4])
end

local function attempt(wait, self, fn, ...)
  while true do
    local ready, r, w, token = wait(self)
    if not ready then return nil, r, w end
    local results = table.pack(fn(...))
    if results[1] ~= nil or results[2] ~= "again" then
      return table.unpack(results, 1, results.n)
    end
    raw.clear_readiness(self, ready, r, w, token)
  end
end

--- Calls fn(...) when readable, again each time it returns nil, "again".
function Registration:read_io(fn, ...)
  check("read_io", 1, self, "registration")
  return attempt(raw.read_io, self, check("read_io", 2, fn, "function"), ...)
end

function Registration:write_io(fn, ...)
  check("write_io", 1, self, "registration")
  return attempt(raw.write_io, self, check("write_io", 2, fn, "function"), ...)
end

--- Calls fn(...) once if `interest` is ready; else nil, "again". Never waits.
function Registration:try_io(interest, fn, ...)
  local ready, r, w, token = raw.try_io(self, interest)
  check("try_io", 3, fn, "function")
  if not ready then return nil, r or "again", w end
  local results = table.pack(fn(...))
  if results[1] == nil and results[2] == "again" then
    raw.clear_readiness(self, ready, r, w, token)
  end
  return table.unpack(results, 1, results.n)
end

--- Registers a descriptor for the directions in `interest` (letters of "rwpce").
function reactor.register(fd, interest) return native.register(fd, interest or "rw") end

reactor.metrics = native.metrics

-- reactor.net, reactor.task, …: loaded when they are named.
return setmetatable(reactor, {
  __index = function(self, name)
    local module = require("reactor." .. name)
    rawset(self, name, module)
    return module
  end,
})
