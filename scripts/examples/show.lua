-- An echo server and 200 clients in one process, on one thread, drawn while they talk: they
-- arrive, chat with naps between their messages, then stop napping.
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"
local isatty = require "reactor.sys".isatty

local CLIENTS, TICK, TICKS, RUSH = 200, 0.1, 60, 38
local CYAN, PINK = "\27[36m", "\27[35m"
local BARS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local live = isatty and isatty(1) and os.getenv "TERM" ~= "dumb" and not os.getenv "NO_COLOR"

local messages, talking, rush, over, peak = 0, 0, false, false, 1
local latencies, rates, clients = {}, {}, {} -- the last 500 round trips, messages/s of each tick
local listener <close> = assert(net.listen "127.0.0.1:0")
local server = task.spawn(net.serve, listener, function(conn)
  local data = conn:read(4096)
  while data and conn:write(data) do data = conn:read(4096) end
end)

local function client(id)
  local conn <close> = assert(net.connect(listener:address()))
  talking = talking + 1
  while not over do
    local sent = time.mono()
    assert(conn:write("hello from client " .. id .. "\n"))
    assert(conn:readline(5))
    latencies[messages % 500 + 1] = time.mono() - sent
    messages = messages + 1
    if not rush then time.sleep(0.002 + 0.02 * math.random()) end
  end
end

local function draw(tick, rate)
  local sorted = table.move(latencies, 1, #latencies, 1, {})
  table.sort(sorted)
  local p50, p99 = sorted[#sorted // 2 + 1] or 0, sorted[#sorted * 99 // 100 + 1] or 0
  local now = ("%4.1f s  %3d tasks  %6d messages/s  p50 %5.0f us  p99 %5.0f us"):format(
    tick * TICK, 2 * talking + 2, rate, p50 * 1e6, p99 * 1e6)
  if not live then return tick % 5 == 0 and print(now) end
  local line = {}
  for i, r in ipairs(rates) do line[i] = (i < RUSH and CYAN or PINK) .. BARS[r * 7 // peak + 1] end
  io.write(tick > 1 and "\27[2A" or "", table.concat(line), "\27[0m\n", now, "\27[K\n")
end

for tick = 1, TICKS do
  rush = tick >= RUSH
  while #clients < math.min(CLIENTS, tick * 6) do
    clients[#clients + 1] = task.spawn(client, #clients + 1)
  end
  local before, started = messages, time.mono()
  time.sleep(TICK)
  rates[tick] = (messages - before) / (time.mono() - started) // 1
  peak = math.max(peak, rates[tick])
  draw(tick, rates[tick])
end
over = true -- the clients leave after their last reply
for _, t in ipairs(clients) do t:join() end
listener:close()
server:join()
print(("%d clients had %d replies, at best %d a second: one process, one thread"):format(
  CLIENTS, messages, peak))
