-- A line-based chat room: join it with `nc 127.0.0.1 7777` from as many terminals as you like.
--   luareact scripts/examples/chat.lua [HOST:PORT]
local net = require "reactor.net"

local address = ... or "127.0.0.1:7777"
local listener <close> = assert(net.listen(address))
print("listening on " .. listener:address())

local members = {} -- in the order in which they joined

local function broadcast(from, text)
  -- A copy, because members come and go while a write waits.
  for _, member in ipairs(table.move(members, 1, #members, 1, {})) do
    -- Who does not read for a second is dropped, so that one cannot silence the room.
    if member ~= from and not member.conn:write(text .. "\n", 1) then
      member.conn:close()
    end
  end
end

local function join(member)
  members[#members + 1] = member
  print(member.peer .. " joined as " .. member.name)
  broadcast(member, "* " .. member.name .. " joined")
end

local function leave(member)
  for place, other in ipairs(members) do
    if other == member then table.remove(members, place) end
  end
  print(member.name .. " left")
  broadcast(member, "* " .. member.name .. " left")
end

net.serve(listener, function(conn, peer)
  conn:write("your name? ")
  local name = (conn:readline(60) or ""):gsub("%c", "")
  if name == "" then return end

  local member = { conn = conn, peer = peer, name = name }
  join(member)
  conn:write(("welcome %s, %d here\n"):format(name, #members))
  for line in conn:lines() do
    broadcast(member, name .. ": " .. line:gsub("%c", ""))
  end
  leave(member)
end)
