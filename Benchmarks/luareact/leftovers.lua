-- The echo server of echo.lua, and a second address, printed on the second line: whoever connects
-- there is told the host's counters, "name=number" after "name=number" in order of name. They tell
-- what 8,000 connections leave behind. Without `reactor.metrics` the answer is "none".
local reactor = require "reactor"
local net = require "reactor.net"
local task = require "reactor.task"

local function flatten(counters, prefix, into)
  for name, value in pairs(counters) do
    if type(value) == "number" then
      into[#into + 1] = ("%s%s=%s"):format(prefix, name, value)
    elseif type(value) == "table" then
      flatten(value, prefix .. name .. ".", into)
    end
  end
  return into
end

local function counters()
  if not reactor.metrics then return "none" end
  collectgarbage() -- twice: handles that a finalizer let go of are freed by the second
  collectgarbage()
  local words = flatten(reactor.metrics(), "", {})
  table.sort(words)
  return table.concat(words, " ")
end

local listener <close> = assert(net.listen("127.0.0.1:0"))
local control <close> = assert(net.listen("127.0.0.1:0"))
print(listener:address())
print(control:address())
io.stdout:flush()

task.spawn(function()
  net.serve(control, function(conn) conn:write(counters() .. "\n") end)
end)

net.serve(listener, function(conn)
  while true do
    local data = conn:read(4096)
    if not data then break end
    conn:write(data)
  end
end)
