-- Files without holding up other tasks: every function, every error, and what a cancel leaves.
local fs, task, sys = require "reactor.fs", require "reactor.task", require "reactor.sys"
local time = require "reactor.time"

local folder = os.tmpname()
assert(os.remove(folder))
assert(fs.mkdir(folder))
local cleanup <close> = setmetatable({}, { __close = function()
  os.execute("rm -rf " .. folder)
end })
local function at(name) return folder .. "/" .. name end
local function fails(errno, ok, text, name)
  assert(ok == nil and type(text) == "string" and name == errno, tostring(name))
end

--- The lowest descriptor that is free. Closing is done in the background: waits for it.
local function lowest()
  local fd = assert(sys.dup(0))
  sys.close(fd)
  return fd
end
local before = lowest()

-- Writing, reading, the position
do
  local file <close> = assert(fs.open(at "a", "w+"))
  assert(file:write "hello world" == 11 and file:position() == 11)
  assert(file:size() == 11 and file:sync() == true)
  assert(file:write("J", 0) == 1 and file:position() == 11)
  assert(select(2, file:read()) == "eof")
  assert(file:position(0) == 0 and file:read(5) == "Jello" and file:read(1, 6) == "w")
  assert(file:position() == 5 and file:readall() == " world")
  assert(file:truncate(3) and file:size() == 3 and file:read(9, 0) == "Jel")
  assert(file:read(0) == "")
  assert(tostring(file):find "^file /.* open%)$", tostring(file))
  assert(file:close() == true and file:close() == false)
  for _, method in ipairs { "read", "write", "readall", "sync", "size", "truncate", "position" } do
    local ok, err = file[method](file, method == "write" and "x" or 1)
    assert(ok == nil and err == "closed", method)
  end
  assert(file:fd() == nil)
end

-- Modes
assert(fs.write(at "b", "one ") == 4)
do
  local file <close> = assert(fs.open(at "b", "a+"))
  assert(file:write "two" == 3 and file:read(20, 0) == "one two")
end
fails("EEXIST", fs.open(at "b", "wx"))
fails("ENOENT", fs.open(at "none"))
fails("EISDIR", fs.open(folder, "w"))
do
  local file <close> = assert(fs.open(at "b"))
  fails("EBADF", file:write "x")
end
assert(fs.read(at "b") == "one two")
assert(select(2, fs.read(at "b", 3)) == "too long")
fails("ENOENT", fs.read(at "none"))

-- A file in place of another
assert(fs.write(at "c", "first", { atomic = true }) == 5)
assert(fs.write(at "c", "second", { atomic = true }) == 6)
assert(fs.read(at "c") == "second")
assert(table.concat(fs.list(folder), " ") == "a b c")

-- Directories
assert(fs.mkdir(at "d/e/f", { parents = true }) and fs.mkdir(at "d/e/f", { parents = true }))
fails("EEXIST", fs.mkdir(at "d"))
fails("ENOENT", fs.mkdir(at "x/y"))
fails("ENOTEMPTY", fs.rmdir(at "d"))
fails("ENOTDIR", fs.list(at "a"))
assert(fs.rename(at "c", at "d/c") and fs.sync(at "d") and #fs.list(at "d") == 2)
assert(fs.rmdir(at "d/e/f") and fs.rmdir(at "d/e") and fs.remove(at "d/c") and fs.rmdir(at "d"))
fails("ENOENT", fs.remove(at "c"))

-- What stat says
local status = assert(fs.stat(at "b"))
assert(status.type == "file" and status.size == 7 and status.links == 1)
assert(math.abs(status.modified - time.now()) < 600 and status.permissions & 0x180 == 0x180)
assert(fs.stat(folder).type == "directory" and fs.stat "/dev/null".type == "character device")
fails("ENOENT", fs.stat(at "none"))

-- Large files, and many at once, while another task runs
local data = ("0123456789abcdef"):rep(1 << 17)
local ticks, done = 0, false
local ticker = task.spawn(function()
  while not done do
    ticks = ticks + 1
    task.yield()
  end
end)
local writers = {}
for i = 1, 40 do
  writers[i] = task.spawn(function()
    local name = at("many" .. i)
    assert(fs.write(name, data:sub(1, i * 50000), { sync = i % 8 == 0 }))
    assert(fs.read(name) == data:sub(1, i * 50000))
    assert(fs.remove(name))
  end)
end
for _, writer in ipairs(writers) do writer:join() end
done = true
ticker:join()
assert(ticks > 40)

-- Work on one file is done in order, whoever asks
do
  local file <close> = assert(fs.open(at "log", "w+"))
  local tasks = {}
  for i = 1, 100 do
    tasks[i] = task.spawn(function() assert(file:write(("%03d"):format(i)) == 3) end)
  end
  for _, each in ipairs(tasks) do each:join() end
  assert(file:size() == 300 and file:position(0) == 0)
  local seen = {}
  for i = 1, 100 do
    tasks[i] = task.spawn(function() seen[assert(file:read(3))] = true end)
  end
  for _, each in ipairs(tasks) do each:join() end
  for i = 1, 100 do assert(seen[("%03d"):format(i)]) end
end

-- A cancelled read is there to be read again
do
  local file <close> = assert(fs.open(at "b"))
  local reader = task.spawn(file.read, file, 4)
  task.yield()
  reader:cancel()
  reader:result()
  assert(file:read(3) == "one")
end

-- A task that is cancelled leaves nothing open
for _ = 1, 50 do
  local opener = task.spawn(fs.open, at "b")
  task.yield()
  opener:cancel()
  local ok, opened = opener:result()
  if ok then opened:close() end -- it was faster than the cancel
end

-- A full device
do
  local full <close> = assert(fs.open("/dev/full", "w"))
  fails("ENOSPC", full:write "x")
end

-- Misuse names the argument
local function raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok and tostring(err):find(text, 1, true), tostring(err))
end
raises("bad argument #1 to 'open'", fs.open)
raises("unknown mode 'q'", fs.open, at "a", "q")
raises("unknown option 'x' to 'write'", fs.write, at "a", "", { x = 1 })
raises("bad argument #2 to 'write'", fs.write, at "a", 1)
do
  local file <close> = assert(fs.open(at "a"))
  raises("0 to 2^62 bytes expected", file.read, file, 1, -1)
  raises("0 to 2^62 bytes expected", file.position, file, math.maxinteger)
  raises("0 to 2^62 bytes expected", file.truncate, file, -1)
  raises("bytes expected", file.read, file, 1 << 40)
end
fails("ENAMETOOLONG", fs.stat "a\0b")

-- Every descriptor comes back
local deadline = time.mono() + 20
while lowest() > before do
  assert(time.mono() < deadline, "descriptors are left")
  task.yield()
end
