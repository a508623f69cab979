-- One peer that floods a server does not starve the others: 100 peers ping it, first alone, then
-- beside the flood. Their 99th percentile stays under 20 ms and under 10 times of what it was.
--
--   fairness.lua [SECONDS [ROUNDS]]   seconds of each measurement, and how often it may be repeated
--
-- Other programs on the machine disturb what is measured here: a round that fails is repeated. When
-- the pings are late without any flood, only the ratio says something.
local process = require "support.process"
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"

local PEERS, PAUSE, LIMIT, RATIO, QUIET = 100, 0.02, 0.02, 10, 0.002
local BLOCK = ("x"):rep(65536)

-- MARK: The other processes

local roles = {}

--- Pings from `PEERS` connections for some seconds, and reports the 99th percentile.
function roles.ping(address, seconds)
  local ends = time.mono() + tonumber(seconds)
  local laps = {}
  task.scope(function()
    for i = 1, PEERS do
      task.spawn(function()
        local conn <close> = assert(net.connect(address))
        conn:write "P"
        time.sleep(PAUSE * i / PEERS)
        while time.mono() < ends do
          local began = time.mono()
          conn:write "ping"
          assert(conn:readn(4, 60))
          laps[#laps + 1] = time.mono() - began
          time.sleep(PAUSE)
        end
      end)
    end
  end)
  table.sort(laps)
  local report <close> = assert(net.connect(address))
  report:write(("R%.9f %.9f %d\n"):format(laps[#laps // 2], laps[#laps * 99 // 100], #laps))
end

--- Sends as fast as it can, to a reader that takes all of it.
function roles.sink(address)
  local conn <close> = assert(net.connect(address))
  conn:write "F"
  while conn:write(BLOCK) do end
end

--- Sends small messages as fast as it can, and reads their echoes.
function roles.echo(address)
  local conn <close> = assert(net.connect(address))
  conn:write "P"
  task.spawn(function() while conn:read() do end end)
  while conn:write(BLOCK) do end
end

if roles[arg[1]] then
  roles[arg[1]](table.unpack(arg, 2))
  os.exit(0)
end

-- MARK: The server

local seconds, rounds = tonumber(arg[1] or 0.5), tonumber(arg[2] or 8)
local listener <close> = assert(net.listen "127.0.0.1:0")
local reported, flooded, victim = nil, 0, nil

local server = task.spawn(net.serve, listener, function(conn)
  local kind = conn:readn(1)
  if kind == "R" then
    reported = { conn:readline():match "^(%S+) (%S+) (%S+)$" }
    return
  elseif kind == "F" then
    victim = conn
    while conn:read() do flooded = flooded + 1 end
  else
    local data = conn:read(256)
    while data and conn:write(data) do
      data = conn:read(256)
      if data and #data > 4 then
        victim, flooded = conn, flooded + 1
      end
    end
  end
end)

--- Pings once; returns the median, the 99th percentile, and how many pings there were.
local function measure()
  reported = nil
  process.start(arg[0], "ping", listener:address(), seconds)
  while not reported do time.sleep(0.01) end
  return tonumber(reported[1]), tonumber(reported[2]), tonumber(reported[3])
end

local function round(kind)
  local idle50, idle = measure()
  victim, flooded = nil, 0
  process.start(arg[0], kind, listener:address())
  while not victim do time.sleep(0.001) end
  local busy50, busy, count = measure()
  local reads = flooded
  victim:close()
  print(("%s flood of %d reads: %d pings, p50 %.2f ms, p99 %.2f ms; alone %.2f ms, %.2f ms"):format(
    kind, reads, count, busy50 * 1e3, busy * 1e3, idle50 * 1e3, idle * 1e3))
  assert(reads > 100, "that is no flood")
  return busy < RATIO * idle and (busy < LIMIT or idle > QUIET)
end

for _, kind in ipairs { "sink", "echo" } do
  local left = rounds
  while not round(kind) do
    left = left - 1
    assert(left > 0, kind .. ": the pings were late in every round")
  end
end
listener:close()
server:join()
