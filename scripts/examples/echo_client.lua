-- Sends each word, or each line of standard input, to an echo server and prints the replies.
--   luareact scripts/examples/echo_client.lua [HOST:PORT] [WORD...]
local net = require "reactor.net"

local words = { ... }
local address = table.remove(words, 1) or "127.0.0.1:7777"
local conn <close> = assert(net.connect(address, { timeout = 5 }))

local function say(line)
  assert(conn:write(line .. "\n", 5))
  local reply = assert(conn:readline(5))
  print(reply)
end

if #words > 0 then
  for _, word in ipairs(words) do say(word) end
else
  for line in io.lines() do say(line) end
end
