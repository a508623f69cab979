-- SWIM on real sockets: a group comes together, notices a failure, takes a member back, lets one
-- go, and drops what is no message of its own.
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"
local swim = require "protocols.swim"

local seen = {} -- what each member said of another, in order
local function start(address, seeds)
  return assert(swim.join {
    address = address,
    seeds = seeds,
    period = 0.05,
    phase = 0,
    on_change = function(other, state, member)
      local key = member.address .. " of " .. other
      seen[key] = (seen[key] or "") .. state .. " "
    end,
  })
end

local function free_address()
  local probe <close> = assert(net.udp "127.0.0.1:0")
  return probe:address()
end

--- Waits until all members but `except` count `size`; the limit is only for a broken protocol.
local group = {}
local function settle(size, except)
  local deadline = time.mono() + 20
  for _, member in ipairs(group) do
    while member ~= except and member:size() ~= size do
      assert(time.mono() < deadline, "the group does not settle")
      time.sleep(0.01)
    end
  end
end

for n = 1, 8 do
  group[n] = start(free_address(), n > 1 and { group[1].address } or nil)
end
settle(8)
local count = 0
for address, state in group[3]:members() do
  assert(state == "alive" or state == "suspect", address)
  count = count + 1
end
assert(count == 8)

-- A member that falls silent is suspected, and then has failed
local lost = group[8]
lost:close()
settle(7, lost)
for n = 1, 7 do
  assert(seen[group[n].address .. " of " .. lost.address]:find "failed $")
end

-- It may come back: its incarnation is a later one
group[8] = nil
local incarnation = math.floor(time.now())
while math.floor(time.now()) == incarnation do time.sleep(0.01) end
group[8] = start(lost.address, { group[2].address })
settle(8)

-- One that leaves is gone at once
local before = seen[group[1].address .. " of " .. lost.address]
group[8]:leave()
settle(7, group[8])
group[8] = nil
assert(not seen[group[1].address .. " of " .. lost.address]:sub(#before + 1):find "suspect")

-- Anybody may send anything
local stranger <close> = assert(net.udp "127.0.0.1:0")
local truncated, unknown = "SW\1\0\0\0\1\9", "SW\9\0\0\0\1"
for _, junk in ipairs { "", "SW", "SW\1\0\0\0", unknown, truncated, ("x"):rep(2000) } do
  assert(stranger:send(junk, group[1].address))
end
while group[1].malformed < 6 do time.sleep(0.01) end
settle(7)

for _, member in ipairs(group) do member:close() end
assert(not pcall(swim.join, { adress = "127.0.0.1:1" }))
assert(not pcall(swim.join, { address = 1 }))
