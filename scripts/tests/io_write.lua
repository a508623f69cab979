-- Writing, modes, positions and the end of files, as in stock Lua 5.4.
local name = os.tmpname()

local function content()
  local f <close> = assert(io.open(name, "rb"))
  return f:read("a")
end

-- write: strings and numbers, in any number, answers the file
local f = assert(io.open(name, "w"))
assert(f:write() == f and f:write("a", 1, 2.5, "b\0c", 1.0, -0.0, math.mininteger) == f)
assert(f:write(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "\n"):write("end") == f)
assert(f:close() == true)
assert(content() == "a12.5b\0c1-0-9223372036854775808123456789101112\nend")

-- What cannot be read or written
f = assert(io.open(name, "w"))
local value, text, number = f:read("a")
assert(value == nil and text == "Bad file descriptor" and number == 9)
f:close()
f = assert(io.open(name))
value, text, number = f:write("x")
assert(value == nil and text == "Bad file descriptor" and number == 9)
f:close()

-- Modes
for _, mode in ipairs { "", "x", "rw", "r++", "+r", "rbz", "b" } do
  local ok, why = pcall(io.open, name, mode)
  assert(not ok and why:find("invalid mode", 1, true), mode)
end
f = assert(io.open(name, "w+b"))
f:write("hello")
assert(f:seek("set", 1) == 1 and f:read("a") == "ello" and f:seek() == 5)
f:close()
f = assert(io.open(name, "a+"))
assert(f:seek() == 0)
f:write(" world")
assert(f:seek("set") == 0 and f:read(5) == "hello")
f:write("!")
f:close()
assert(content() == "hello world!")
f = assert(io.open(name, "r+"))
assert(f:read(5) == "hello")
f:write("_")
assert(f:read(5) == "world" and f:seek("cur", -5) == 6 and f:read("l") == "world!")
f:close()
assert(content() == "hello_world!")
f = assert(io.open(name, "w"))
f:close()
assert(content() == "")

-- Positions
f = assert(io.open(name, "w+"))
f:write("0123456789")
assert(f:seek("end") == 10 and f:seek("set", 3) == 3 and f:seek("cur", 2) == 5)
assert(f:read(1) == "5" and f:seek("cur") == 6 and f:seek("end", -1) == 9 and f:read(1) == "9")
value, text, number = f:seek("set", -1)
assert(value == nil and text == "Invalid argument" and number == 22)
assert(not pcall(f.seek, f, "middle"))
f:close()

-- Buffering
f = assert(io.open(name, "w"))
assert(f:setvbuf("full", 1024) == true)
f:write("kept")
assert(content() == "")
assert(f:flush() == true and content() == "kept")
assert(f:setvbuf("no") and f:write(" out") and content() == "kept out")
assert(f:setvbuf("line") and f:write("\nx") and content() == "kept out\nx")
assert(not pcall(f.setvbuf, f, "some") and not pcall(f.setvbuf, f))
f:close()

-- Dropped files are complete before the next open
do io.open(name, "w"):write("dropped") end
collectgarbage()
collectgarbage()
assert(content() == "dropped")

-- The end of a scope closes
local held
do
  local file <close> = assert(io.open(name, "w"))
  file:write("scoped")
  held = file
end
assert(content() == "scoped" and io.type(held) == "closed file")

-- Closed files
assert(tostring(held) == "file (closed)" and tostring(io.stdout):find("^file %(0x%x+%)$"))
assert(type(held) == "userdata" and io.type(io.stdin) == "file" and io.type(1) == nil)
assert(io.type({}) == nil and io.type(nil) == nil and not pcall(io.type))
for _, method in ipairs { "read", "write", "seek", "flush", "close", "lines" } do
  local ok, why = pcall(held[method], held)
  assert(not ok and why:find("attempt to use a closed file", 1, true), method)
end
local ok, why = pcall(function() io.stdout.read("x") end)
assert(not ok and why:find("FILE* expected, got string", 1, true))

-- Standard streams cannot be closed
value, text = io.stdout:close()
assert(value == nil and text == "cannot close standard file")

-- Default output
local before = io.output()
assert(before == io.stdout and io.output(name) ~= before)
local write = io.write
write("to the file ", 1)
assert(io.write(2) == io.output())
io.close()
assert(not pcall(io.write, "x"))
io.output(before)
assert(content() == "to the file 12")

-- Absent files
value, text, number = io.open("/nowhere/file")
assert(value == nil and text == "/nowhere/file: No such file or directory" and number == 2)
for _, open in ipairs { io.lines, io.input, io.output } do
  ok, why = pcall(open, "/nowhere/file")
  local expected = "cannot open file '/nowhere/file' (No such file or directory)"
  assert(not ok and why:find(expected, 1, true))
end
f = assert(io.open("/tmp"))
value, text, number = f:read("a")
assert(value == nil and text == "Is a directory" and number == 21)
f:close()

-- A full disk
f = assert(io.open("/dev/full", "w"))
f:write("x")
value, text, number = f:flush()
assert(value == nil and text == "No space left on device" and number == 28)
f:write("x")
assert(f:close() == nil)

-- tmpfile
f = assert(io.tmpfile())
f:write("temporary")
f:seek("set")
assert(f:read("a") == "temporary" and f:close())

-- popen: a stock stream, which io takes all the same
f = assert(io.popen("echo one; echo two"))
assert(io.type(f) == "file" and f:read("l") == "one")
io.input(f)
assert(io.read("L") == "two\n" and io.read() == nil)
io.input(io.stdin)
assert(f:close() == true)

-- Reading and writing where nothing can wait
local lines = { "b", "a", "c" }
f = assert(io.open(name, "w"))
table.sort(lines, function(x, y)
  f:write(x, y)
  return x < y
end)
f:close()
assert(#content() > 3)
assert(os.remove(name))
