-- require "reactor": registrations of descriptors, and the events that they report.
local _, native = ...
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
native.raw = native.raw
  or { wait = Registration.wait, poll = Registration.poll, clear = Registration.clear }
local wait, poll, clear = native.raw.wait, native.raw.poll, native.raw.clear
Registration.wait, Registration.poll, Registration.clear = nil, nil, nil

--- Waits for any of `interest`'s letters (r w p c e). nil, "timeout" after `timeout` seconds.
function Registration:readiness(interest, timeout) return event(wait(self, interest, timeout)) end
function Registration:readable(timeout) return event(wait(self, "r", timeout)) end
function Registration:writable(timeout) return event(wait(self, "w", timeout)) end

--- The event that there is now, or nil. Never waits.
function Registration:poll_read_ready() return event(poll(self, "r")) end
function Registration:poll_write_ready() return event(poll(self, "w")) end

--- Clears what `ev` saw, in each direction that was not reported anew since.
function Registration:clear_readiness(ev)
  if getmetatable(ev) ~= Event then
    local got = type(ev)
    error(("bad argument #1 to 'clear_readiness' (ready event expected, got %s)"):format(got), 2)
  end
  return clear(self, ev[1], ev[2], ev[3], ev[4])
end

local function attempt(self, interest, fn, ...)
  if type(fn) ~= "function" then
    error(("bad argument #1 to '%s_io' (function expected, got %s)"):format(
      interest == "r" and "read" or "write", type(fn)), 3)
  end
  while true do
    local ready, r, w, token = wait(self, interest)
    if not ready then return nil, r, w end
    local results = table.pack(fn(...))
    if results[1] ~= nil or results[2] ~= "again" then
      return table.unpack(results, 1, results.n)
    end
    clear(self, ready, r, w, token)
  end
end

--- Calls fn(...) when readable, again each time it returns nil, "again".
function Registration:read_io(fn, ...) return attempt(self, "r", fn, ...) end
function Registration:write_io(fn, ...) return attempt(self, "w", fn, ...) end

--- Calls fn(...) once if `interest` is ready; else nil, "again". Never waits.
function Registration:try_io(interest, fn, ...)
  local ready, r, w, token = poll(self, interest)
  if not ready then return nil, r or "again", w end
  local results = table.pack(fn(...))
  if results[1] == nil and results[2] == "again" then clear(self, ready, r, w, token) end
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
