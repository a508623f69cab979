-- TFTP on real sockets: our two ends with one another and with programs that are not ours, and
-- through a relay that loses, doubles and reorders one datagram in three.
local net, task, time = require "reactor.net", require "reactor.task", require "reactor.time"
local tftp = require "protocols.tftp"
local shell = require "support.shell"

local folder = shell.run("mktemp -d"):gsub("\n", "")
local cleanup <close> = setmetatable({}, { __close = function()
  os.execute("rm -rf " .. folder)
end })

local function bytes(count)
  local parts = {}
  for i = 1, count // 8 + 1 do parts[i] = string.pack(">I8", i * 0x9e3779b97f4a7c15) end
  return table.concat(parts):sub(1, count)
end

local store = {
  motd = "hello\nand\r\nbye\n", empty = "", block = bytes(512), big = bytes(100001),
  ["long"] = bytes(33 * 1024 * 1024),
}
local socket = assert(net.udp "127.0.0.1:0")
local at = socket:address()
local server = task.spawn(tftp.serve, socket, {
  timeout = 0.2,
  read = function(name) return store[name], tftp.NOT_FOUND, "no such file: " .. name end,
  write = function(name, data)
    if name == "full" then return nil, tftp.FULL, "disk full" end
    store[name] = data
    return true
  end,
})

-- Ours with ours: every size, with and without options
for _, options in ipairs {
  {}, { blksize = 1428 }, { blksize = 8, windowsize = 64 }, { blksize = 1024, windowsize = 16 },
} do
  options.timeout = 0.2
  for _, name in ipairs { "motd", "empty", "block", "big" } do
    assert(tftp.get(at, name, options) == store[name], name)
    assert(tftp.put(at, name .. ".copy", store[name], options))
    assert(store[name .. ".copy"] == store[name], name)
  end
end

-- Block numbers wrap: 33 MiB are 67,585 blocks
assert(tftp.get(at, "long", { timeout = 0.2, windowsize = 64 }) == store.long)

-- Errors travel
local none, text, code = tftp.get(at, "nothing")
assert(none == nil and text == "no such file: nothing" and code == tftp.NOT_FOUND)
none, text, code = tftp.put(at, "full", "x")
assert(none == nil and text == "disk full" and code == tftp.FULL)
local silent <close> = assert(net.udp "127.0.0.1:0")
none, text = tftp.get(silent:address(), "motd", { timeout = 0.01, attempts = 2 })
assert(none == nil and text == "timeout")

-- A packet of a stranger is refused, and disturbs nothing: see RFC 1350, 4
do
  local liar <close> = assert(net.udp "127.0.0.1:0")
  local front <close> = assert(net.udp "127.0.0.1:0")
  local fetch = task.spawn(tftp.get, front:address(), "x", { timeout = 0.1 })
  local _, client = assert(front:recv(5))
  assert(front:send(string.pack(">I2I2", 3, 1) .. ("x"):rep(512), client))
  assert(front:recv(5) == string.pack(">I2I2", 4, 1))
  assert(liar:send(string.pack(">I2I2", 3, 2) .. "lie", client))
  assert(liar:recv(5):sub(1, 4) == string.pack(">I2I2", 5, 5))
  assert(front:send(string.pack(">I2I2", 3, 2) .. "y", client))
  assert(fetch:join() == ("x"):rep(512) .. "y")
end

-- curl and atftp fetch and store with our server
shell.run(("curl -sS -o %s/motd tftp://%s/motd"):format(folder, at))
shell.run(("curl -sS -o %s/big --tftp-blksize 1400 tftp://%s/big"):format(folder, at))
shell.run(("curl -sS -T %s/big tftp://%s/from_curl"):format(folder, at))
assert(store.from_curl == store.big)
local host, port = at:match "^(.*):(%d+)$"
local atftp = ("cd %s && atftp --option 'blksize 1024' %s %s "):format(folder, host, port)
shell.run(atftp .. "-g -r big -l big2")
shell.run(atftp .. "-p -l big2 -r from_atftp")
assert(store.from_atftp == store.big)
local status = shell.start(("curl -sS tftp://%s/nothing"):format(at))()
assert(status == 68, status) -- CURLE_TFTP_NOTFOUND

-- Our client with Debian's server, which wants to be root
if shell.run("id -u") == "0\n" then
  local probe = assert(net.udp "127.0.0.1:0")
  local there = probe:address()
  probe:close()
  shell.run(("chmod 777 %s; touch %s/up; chmod 666 %s/up"):format(folder, folder, folder))
  local stop = shell.start(("in.tftpd -L -a %s -s %s -c -P %s/pid"):format(there, folder, folder))
  local data
  repeat
    data, text = tftp.get(there, "big", { timeout = 0.05, attempts = 20, blksize = 1400 })
  until data or text ~= "connection refused"
  assert(data == store.big, text)
  assert(tftp.put(there, "up", store.motd))
  local f <close> = assert(io.open(folder .. "/up", "rb"))
  assert(f:read "a" == store.motd)
  shell.run(("kill $(cat %s/pid)"):format(folder))
  stop()
else
  print "skipped: in.tftpd wants to be root"
end

-- Through a relay that loses, doubles and reorders, byte for byte
do
  math.randomseed(7)
  local front <close> = assert(net.udp "127.0.0.1:0")
  local tasks = {}
  local function unreliable(send)
    local held
    return function(packet)
      local luck = math.random()
      if luck < 0.15 then return end
      if luck < 0.25 then send(packet) end
      if luck < 0.35 and not held then
        held = packet
        return
      end
      send(packet)
      if held then send(held) end
      held = nil
    end
  end
  tasks[1] = task.spawn(function()
    local ends = {} -- a socket and its way in for each client
    while true do
      local packet, client = front:recv()
      if not packet then return end
      if not ends[client] then
        local back, peer = assert(net.udp "127.0.0.1:0"), at
        local forward = unreliable(function(data) back:send(data, peer) end)
        local reply = unreliable(function(data) front:send(data, client) end)
        ends[client] = forward
        tasks[#tasks + 1] = task.spawn(function()
          local out <close> = back
          while true do
            local data, from = back:recv()
            if not data then return end
            peer = from
            reply(data)
          end
        end)
      end
      ends[client](packet)
    end
  end)
  local there = front:address()
  for _, options in ipairs { {}, { blksize = 1024 }, { blksize = 512, windowsize = 8 } } do
    options.timeout, options.attempts = 0.02, 60
    local part = store.big:sub(1, 8000)
    store.part = part
    assert(tftp.get(there, "part", options) == part)
    assert(tftp.put(there, "part.copy", part, options))
    assert(store["part.copy"] == part)
  end
  for _, each in ipairs(tasks) do each:cancel() end
end

-- A server ends when its socket is closed
local other = assert(net.udp "127.0.0.1:0")
local idle = task.spawn(tftp.serve, other, {})
task.yield()
other:close()
assert(idle:join() == true)

server:cancel() -- peers of its last transfers are gone, and it would wait for them
socket:close()
