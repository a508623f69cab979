-- Finds the open TCP ports of a machine of yours, many at a time but never more than WORKERS.
--   luareact scripts/examples/port_scan.lua [HOST] [FIRST-LAST]
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"

local WORKERS, TIMEOUT = 100, 0.5

local host, range = ...
host = host or "127.0.0.1"
local first, last = (range or "1-1024"):match "^(%d+)%-(%d+)$"
first, last = tonumber(first), tonumber(last)
assert(first and first >= 1 and last <= 65535, "the second argument is FIRST-LAST, such as 1-1024")

local target = host:find(":", 1, true) and "[" .. host .. "]" or host
local next_port, open, outcomes = first, 0, {}

-- Tasks switch only where they wait, so that taking a port needs no lock.
local function worker()
  while next_port <= last do
    local port = next_port
    next_port = next_port + 1

    local started = time.mono()
    local conn, err = net.connect(target .. ":" .. port, { timeout = TIMEOUT })
    if conn then
      conn:close()
      open = open + 1
      print(("%5d open  %6.2f ms"):format(port, (time.mono() - started) * 1000))
    else
      outcomes[err] = (outcomes[err] or 0) + 1
    end
  end
end

local began, workers = time.mono(), {}
for i = 1, math.min(WORKERS, last - first + 1) do workers[i] = task.spawn(worker) end
for _, t in ipairs(workers) do t:join() end

local closed = {}
for err, count in pairs(outcomes) do closed[#closed + 1] = ("%d %s"):format(count, err) end
table.sort(closed)
local took = time.mono() - began
print(("%s: %d ports in %.2f s: %d open"):format(host, last - first + 1, took, open))
if #closed > 0 then print("others: " .. table.concat(closed, ", ")) end
