-- SWIM: who is in the group, and who has failed. After Das, Gupta and Motivala, "SWIM: Scalable
-- Weakly-consistent Infection-style Process Group Membership Protocol" (DSN 2002).
--
--   local swim = require "protocols.swim"
--   local me <close> = assert(swim.join{ address = "10.0.0.2:7946", seeds = { "10.0.0.1:7946" } })
--   for address, state in me:members() do print(address, state) end
--
-- Each period a member pings one other, in a random round over all of them (4.3 of the paper).
-- Without an answer after `patience` seconds it asks `helpers` others to ping for it; without one
-- at the end of the period it suspects the member, who may refute that (4.2). News travel on pings
-- and answers (4.1). A message is one UDP datagram of at most 1,400 bytes:
--
--   "SW" kind:1 number:4 [target: length and text] then news: state:1 incarnation:4 address
--
-- There is no authentication: run it inside a trusted network.
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"
local pack, unpack = string.pack, string.unpack

local PING, REQUEST, ACK, JOIN, WELCOME = 1, 2, 3, 4, 5
local ALIVE, SUSPECT, FAILED = 1, 2, 3
local STATES = { "alive", "suspect", "failed" }
local MAGIC = "SW"
local NEWS_EACH = 6 -- news on a ping or an answer, as in the paper's experiments
local LIST_EACH = 1200 -- bytes of the member list in one WELCOME

local swim = {}
local Member = {}
Member.__index = Member

-- What is known of the others is in arrays with one place for each address: with thousands of
-- members in one process, a table for each would be most of its memory.

--- The place of an address; a new one is at the end.
local function place_of(self, address)
  local place = self.places[address]
  if place then return place end
  place = #self.addresses + 1
  self.addresses[place], self.places[address] = address, place
  self.states[place], self.incarnations[place] = 0, 0
  return place
end

local function is_live(state) return state == ALIVE or state == SUSPECT end

-- News ---------------------------------------------------------------------------------------

--- Queues news for the next messages; what the queue said of that member before is out of date.
local function announce(self, place)
  self.told[place] = 0
  local fresh = self.queue[0]
  fresh[#fresh + 1] = place
end

--- How often each piece of news is sent: 3 log2(n), after 4.1 of the paper.
local function repetitions(self)
  local n, log = self.count + 1, 0
  while n > 0 do n, log = n >> 1, log + 1 end
  return 3 * log
end

--- Up to NEWS_EACH pieces of news, those first that were told least often.
local function news(self)
  local text, taken = "", 0
  local queue, told = self.queue, self.told
  for times = 0, self.most do
    local list = queue[times]
    while list and #list > 0 and taken < NEWS_EACH do
      local place = table.remove(list)
      if told[place] == times then
        taken = taken + 1
        local address = self.addresses[place]
        text = text .. pack(">BI4s1", self.states[place], self.incarnations[place], address)
        self.pending[taken] = place
      end
    end
  end
  for at = 1, taken do
    local place = self.pending[at]
    local times = told[place] + 1
    if times < self.most then
      local list = queue[times]
      if not list then
        list = {}
        queue[times] = list
      end
      list[#list + 1], told[place] = place, times
    else
      told[place] = nil
    end
  end
  return text
end

local function set(self, place, state, incarnation)
  local before = self.states[place]
  self.states[place], self.incarnations[place] = state, incarnation
  if is_live(before) ~= is_live(state) then
    self.count = self.count + (is_live(state) and 1 or -1)
    self.most = repetitions(self)
    if is_live(state) then
      -- A random place in the rest of the round, so that nobody is pinged by all at once.
      local ring, last = self.ring, #self.ring + 1
      local at = math.random(self.turn, last)
      ring[last] = place
      ring[at], ring[last] = ring[last], ring[at]
    end
  end
  if state == SUSPECT then
    local patience = self.suspicion * self.period * self.most / 3
    self.suspects[#self.suspects + 1] = { place, incarnation, time.mono() + patience }
  end
  announce(self, place)
  if state ~= before and self.on_change then
    self.on_change(self.addresses[place], STATES[state], self)
  end
end

--- Takes in one piece of news, by the order of 4.2: a later incarnation counts more; of one
--- incarnation, suspect counts more than alive; failed counts more than both. Unlike in the paper a
--- member that failed can come back, with a later incarnation.
local function learn(self, state, incarnation, address)
  if address == self.address then
    if state ~= ALIVE and incarnation >= self.incarnation then
      self.incarnation = incarnation + 1
      self.incarnations[1] = self.incarnation
      announce(self, 1)
    end
    return
  end
  local place = place_of(self, address)
  local known, since = self.states[place], self.incarnations[place]
  local newer
  if known == 0 then
    newer = true
  elseif state == ALIVE then
    newer = incarnation > since
  elseif state == SUSPECT then
    newer = incarnation > since or known == ALIVE and incarnation == since
  else
    newer = known ~= FAILED and incarnation >= since
  end
  if newer then set(self, place, state, incarnation) end
end

-- Messages -----------------------------------------------------------------------------------

local function send(self, address, kind, number, target)
  local head = pack(">c2BI4", MAGIC, kind, number)
  if target then head = head .. pack("s1", target) end
  self.socket:send(head .. news(self), address) -- one that cannot be sent is one that was lost
end

--- Sends the whole list to one who joins, in several datagrams.
local function welcome(self, address)
  local parts, size = {}, 0
  local head = pack(">c2BI4", MAGIC, WELCOME, 0)
  for place, name in ipairs(self.addresses) do
    if is_live(self.states[place]) then
      local item = pack(">BI4s1", self.states[place], self.incarnations[place], name)
      parts[#parts + 1], size = item, size + #item
      if size >= LIST_EACH then
        self.socket:send(head .. table.concat(parts), address)
        parts, size = {}, 0
      end
    end
  end
  self.socket:send(head .. table.concat(parts), address)
end

local handle = {}

handle[PING] = function(self, from, number) send(self, from, ACK, number) end

handle[REQUEST] = function(self, from, number, target)
  self.serial = self.serial + 1
  self.relays[self.serial] = { from = from, number = number, ends = time.mono() + self.period }
  send(self, target, PING, self.serial)
end

handle[ACK] = function(self, _, number)
  if number == self.expected then self.answered = true end
  local relay = self.relays[number]
  if not relay then return end
  self.relays[number] = nil
  send(self, relay.from, ACK, relay.number)
end

handle[JOIN] = function(self, from) welcome(self, from) end
handle[WELCOME] = function(self) self.joined = true end

--- Takes a message apart: kind, number, target; its news go into `list`, three values each.
--- Raises where it is malformed.
local function decode(packet, list)
  local magic, kind, number, from = unpack(">c2BI4", packet)
  assert(magic == MAGIC and handle[kind])
  local target
  if kind == REQUEST then target, from = unpack("s1", packet, from) end
  local count, size = 0, #packet
  while from <= size do
    list[count + 1], list[count + 2], list[count + 3], from = unpack(">BI4s1", packet, from)
    assert(STATES[list[count + 1]])
    count = count + 3
  end
  return kind, number, target, count
end

local function listen(self)
  local list = {}
  while true do
    local packet, from, name = self.socket:recv()
    if packet then
      -- A datagram that is none of ours is counted and dropped: anybody can send one.
      local ok, kind, number, target, count = pcall(decode, packet, list)
      if ok then
        for at = 1, count, 3 do learn(self, list[at], list[at + 1], list[at + 2]) end
        handle[kind](self, from, number, target)
      else
        self.malformed = self.malformed + 1
      end
    elseif name ~= "ECONNREFUSED" then
      return
    end
  end
end

-- Periods ------------------------------------------------------------------------------------

--- The next member to ping. Each round is another random order over all of them.
local function next_target(self)
  local ring, states = self.ring, self.states
  while self.turn <= #ring do
    local place = ring[self.turn]
    self.turn = self.turn + 1
    if is_live(states[place]) then return place end
  end
  ring = {}
  for place = 2, #states do
    if is_live(states[place]) then ring[#ring + 1] = place end
  end
  for last = #ring, 2, -1 do
    local at = math.random(last)
    ring[at], ring[last] = ring[last], ring[at]
  end
  self.ring, self.turn = ring, math.min(2, #ring + 1)
  return ring[1]
end

--- Asks others to ping the member at `place`.
local function ask_helpers(self, place)
  local ring = self.ring
  local first = math.random(#ring)
  local asked = 0
  for step = 0, #ring - 1 do
    local helper = ring[(first + step - 1) % #ring + 1]
    if helper ~= place and self.states[helper] == ALIVE then
      send(self, self.addresses[helper], REQUEST, self.expected, self.addresses[place])
      asked = asked + 1
      if asked == self.helpers then return end
    end
  end
end

--- Those who were suspected for long enough have failed.
local function judge(self, now)
  local left = {}
  for _, suspect in ipairs(self.suspects) do
    local place, incarnation, ends = table.unpack(suspect)
    if self.states[place] == SUSPECT and self.incarnations[place] == incarnation then
      if ends <= now then
        set(self, place, FAILED, incarnation)
      else
        left[#left + 1] = suspect
      end
    end
  end
  self.suspects = left
  for number, relay in pairs(self.relays) do
    if relay.ends <= now then self.relays[number] = nil end
  end
end

local function join_through_seed(self, round)
  local seed = self.seeds[round % #self.seeds + 1]
  local list = net.resolve(seed, self.period)
  if list and list[1] ~= self.address then send(self, list[1], JOIN, 0) end
end

local function run_periods(self, start)
  local round = 0
  while true do
    if not self.joined and #self.seeds > 0 then join_through_seed(self, round) end
    local ends = start + (round + 1) * self.period
    local place = next_target(self)
    if place then
      self.serial = self.serial + 1
      self.expected, self.answered = self.serial, false
      send(self, self.addresses[place], PING, self.serial)
      time.sleep(math.min(self.patience, ends - time.mono()))
      if not self.answered then ask_helpers(self, place) end
    end
    time.sleep(ends - time.mono())
    if place and not self.answered and self.states[place] == ALIVE then
      set(self, place, SUSPECT, self.incarnations[place])
    end
    judge(self, ends)
    round = round + 1
  end
end

-- A member -----------------------------------------------------------------------------------

local known = {
  address = "string", seeds = "table", period = "number", patience = "number", phase = "number",
  helpers = "number", suspicion = "number", on_change = "function",
}

--- Joins a group, or begins one when `seeds` is empty. Options:
---   address   "host:port" of this member, as the others reach it
---   seeds     addresses of members; one that answers is enough
---   period    seconds between two pings (1); patience: seconds until helpers are asked (0.3)
---   helpers   how many are asked (3); suspicion: periods times log2 of the group's size (1)
---   phase     seconds before the first period; a random part of one if absent
---   on_change function(address, state, member), state "alive", "suspect" or "failed"
--- Returns the member at once, or nil, text, errno name. Two child tasks run it until `close`.
function swim.join(options)
  for key, value in pairs(options) do
    if type(value) ~= known[key] then
      local what = known[key] and ("bad option '%s' (%s expected)") or "unknown option '%s'"
      error(what:format(key, known[key]), 2)
    end
  end
  local period = options.period or 1
  local list, err, name = net.resolve(options.address)
  if not list then return nil, err, name end
  local address, socket = list[1], nil
  socket, err, name = net.udp(address)
  if not socket then return nil, err, name end
  local self = setmetatable({
    address = address, socket = socket, seeds = options.seeds or {}, on_change = options.on_change,
    period = period, patience = options.patience or 0.3 * period, helpers = options.helpers or 3,
    suspicion = options.suspicion or 1, incarnation = math.floor(time.now()) & 0x7fffffff,
    addresses = {}, places = {}, states = {}, incarnations = {}, told = {}, queue = { [0] = {} },
    pending = {}, suspects = {}, relays = {}, ring = {}, turn = 1, serial = 0, expected = 0,
    answered = false, joined = false, count = 0, most = 0, malformed = 0,
  }, Member)
  place_of(self, address)
  self.states[1], self.incarnations[1], self.count = ALIVE, self.incarnation, 1
  self.most = repetitions(self)
  announce(self, 1)
  self.listener = task.spawn(listen, self)
  local start = time.mono() + (options.phase or math.random() * period)
  self.ticker = task.spawn(function()
    time.sleep(start - time.mono())
    run_periods(self, start)
  end)
  return self
end

--- Iterates over address and state of every member that is known, this one first.
function Member:members()
  local place = 0
  return function()
    place = place + 1
    return self.addresses[place], STATES[self.states[place]]
  end
end

--- How many members are alive or suspected, this one included.
function Member:size() return self.count end

--- Tells some others that this member goes, and closes it.
function Member:leave()
  self.states[1] = FAILED
  announce(self, 1)
  for _ = 1, self.helpers do
    local place = next_target(self)
    if place then send(self, self.addresses[place], PING, 0) end
    announce(self, 1)
  end
  self:close()
end

--- Stops without a word: to the others this member has failed.
function Member:close()
  self.ticker:cancel()
  self.listener:cancel()
  self.socket:close()
end

Member.__close = Member.close

return swim
