-- Waits on a pipe with a registration and the raw calls alone: what every stream does inside.
--   luareact scripts/examples/raw_registration.lua
local reactor, sys = require "reactor", require "reactor.sys"
local task, time = require "reactor.task", require "reactor.time"

local began = time.mono()
local function say(...)
  print(("%.2f s  %s"):format(time.mono() - began, string.format(...)))
end

local input, output = assert(sys.pipe())

local writer = task.spawn(function()
  for i = 1, 3 do
    time.sleep(0.3)
    say("writer: writes message %d", i)
    assert(sys.write(output, "message " .. i))
  end
  time.sleep(0.3)
  say("writer: closes its end")
  sys.close(output)
end)

do
  local reg <close> = reactor.register(input, "r")
  local data, err
  repeat
    local event = assert(reg:readable(5))
    data, err = sys.read(input, 4096)
    if err == "again" then
      -- Edge-triggered: only an empty read says that the next wait must park. The event carries
      -- the generation it saw, so that readiness which arrived since then is not cleared.
      reg:clear_readiness(event)
      say("reader: drained, waits for the next edge")
    elseif not data then
      error(err)
    elseif data ~= "" then
      say("reader: got %q, read_closed is %s", data, event.read_closed)
    end
  until data == ""
  say("reader: end of file")
end -- the registration ends here; the descriptor stays open until we close it

sys.close(input)
writer:join()
