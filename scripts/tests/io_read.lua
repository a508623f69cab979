-- file:read and file:lines with every format, as in stock Lua 5.4.
local name = os.tmpname()

local function with(text)
  local out <close> = assert(io.open(name, "wb"))
  assert(out:write(text))
  out:close()
  return assert(io.open(name, "rb"))
end

-- Lines
local f = with("one\n\ntwo\nlast")
assert(f:read() == "one" and f:read("l") == "" and f:read("L") == "two\n")
assert(f:read("*l") == "last" and f:read("l") == nil and f:read("L") == nil)
assert(f:read("a") == "" and f:read("a") == "")
f:close()

-- Counts, the test for the end, everything
f = with("abcdef\0gh")
assert(f:read(0) == "" and f:read(3) == "abc" and f:read(2.0) == "de")
assert(f:read(100) == "f\0gh" and f:read(0) == nil and f:read(1) == nil)
f:seek("set")
assert(f:read("a") == "abcdef\0gh")
f:close()

-- Numerals
f = with("  12 0x1F -3.5e2 +.5 0x.8p1 99999999999999999999 1e 7x nan")
assert(math.type(f:read("n")) == "integer")
assert(f:read("n") == 31 and f:read("n") == -350.0 and f:read("n") == 0.5 and f:read("n") == 1.0)
assert(f:read("n") == 1e20 and f:read("n") == nil and f:read(1) == " ")
local seven, rest = f:read("n", 1)
assert(seven == 7 and rest == "x")
assert(f:read("n") == nil and f:read("a") == "nan")
f:close()

f = with(("1"):rep(201) .. " 5")
assert(f:read("n") == nil and f:read(1) == "1" and f:read("n") == 5)
f:close()

-- Several formats: the first that fails is the last
f = with("1 2 3\nline\n")
local a, b, c, d, e = f:read("n", "n", "n", "l", "L")
assert(a == 1 and b == 2 and c == 3 and d == "" and e == "line\n")
assert(select("#", f:read("l", "l", "l")) == 1)
f:close()

f = with("1 2 3 4 5 6 7 8 9 10 11 12")
assert(select("#", f:read("n", "n", "n", "n", "n", "n", "n", "n", "n", "n", "n", "n")) == 12)
f:close()

-- Lines longer than any buffer
local long = ("x"):rep(300000)
f = with(long .. "\n" .. long)
assert(f:read("l") == long and f:read("L") == long and f:read("l") == nil)
f:seek("set")
assert(#f:read(299999) == 299999 and f:read("L") == "x\n")
f:close()

-- lines
f = with("a\nb\nc")
local got = {}
for line in f:lines() do got[#got + 1] = line end
assert(table.concat(got, ",") == "a,b,c" and io.type(f) == "file")
f:seek("set")
got = {}
for one, two in f:lines(1, "L") do got[#got + 1] = one .. (two or "") end
assert(table.concat(got, ",") == "a\n,b\n,c")
f:close()
assert(not pcall(f.lines, f))

got = {}
for line in io.lines(name, "L") do got[#got + 1] = line end
assert(table.concat(got) == "a\nb\nc")
for line in io.lines(name) do
  assert(line == "a")
  break
end

local step, _, _, held = io.lines(name)
assert(io.type(held) == "file" and step() == "a" and step() == "b" and step() == "c")
assert(step() == nil and io.type(held) == "closed file")
local ok, why = pcall(step)
assert(not ok and why:find("file is already closed", 1, true))

-- Default input
local before = io.input()
io.input(name)
assert(io.read("l", "l", "l", "l") == "a" and io.read() == nil)
io.close(io.input())
io.input(before)
assert(io.input() == io.stdin and io.input() == before)

-- Wrong formats
f = with("x")
ok, why = pcall(f.read, f, "z")
assert(not ok and why:find("invalid format", 1, true))
assert(not pcall(f.read, f, {}))
assert(not pcall(f.read, f, nil))
f:close()
assert(os.remove(name))
