-- Files: what a read has found stays in the file until the script has it.
local file = io.tmpfile()
assert(file:write("one\n", 2, " ", 3.5, "\nfour\n", ("x"):rep(500), "\n"))
assert(file:seek("set") == 0)
local lines, failures = {}, 0
while #lines < 4 do
  local ok, line = pcall(file.read, file, "l")
  if ok then
    lines[#lines + 1] = assert(line)
  else
    assert(line == "not enough memory", line)
    failures = failures + 1
    assert(failures < 50, line)
  end
end
assert(lines[1] == "one" and lines[2] == "2 3.5" and lines[3] == "four" and #lines[4] == 500)
assert(file:seek("set", 4) == 4)
local a, b, c, d = file:read("n", "n", "L", "l")
assert(a == 2 and b == 3.5 and c == "\n" and d == "four")
assert(file:close() and io.type(file) == "closed file")
local n = 0
for line in io.lines("/dev/null") do n = n + #line end
assert(n == 0 and select(2, io.open("/no/such/file")))
require("app").done()
