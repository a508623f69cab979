-- os: files, the clock, the environment, chunks and modules.
local name = os.tmpname()
assert(name:find("^/tmp/lua_") and io.open(name):read("a") == "")

-- remove and rename
local value, text, number = os.remove("/nowhere/file")
assert(value == nil and text == "/nowhere/file: No such file or directory" and number == 2)
value, text, number = os.rename("/nowhere/file", "/nowhere/other")
assert(value == nil and text == "No such file or directory" and number == 2)
assert(os.rename(name, name .. ".moved") == true and not io.open(name))
assert(os.remove(name .. ".moved") == true and not io.open(name .. ".moved"))
assert(os.execute("mkdir " .. name) == true)
assert(os.remove(name) == true)

-- Time
local now = os.time()
assert(math.type(now) == "integer" and now > 1.6e9 and math.abs(now - os.time()) <= 1)
assert(os.time { year = 2001, month = 9, day = 9, hour = 12 } > 999990000)
assert(os.date("!%Y-%m-%d %H:%M:%S", 1e9) == "2001-09-09 01:46:40")
assert(os.date("!*t", 0).year == 1970 and os.date("%Y"):find("^%d%d%d%d$"))
assert(os.date() and os.date(nil, 0) and os.difftime(2, 1) == 1.0)
local ok, why = pcall(os.date, "%Ez")
assert(not ok and why:find("invalid conversion specifier '%Ez'", 1, true))
ok, why = pcall(function()
  local _ = os.time { year = 2001, month = 9 }
end)
assert(not ok and why:find("^[^%[]*os_files.lua:%d+: field 'day' missing"), why)
local clock = os.clock()
assert(math.type(clock) == "float" and clock >= 0 and os.clock() >= clock)

-- Environment and random numbers
assert(os.getenv("PATH") and os.getenv("NO_SUCH_VARIABLE") == nil)
math.randomseed(42)
local first = math.random(1 << 40)
math.randomseed(42)
assert(math.random(1 << 40) == first)
math.randomseed()
assert(math.random(1 << 40) ~= first)

-- Chunks
local function save(source)
  local f <close> = assert(io.open(name, "w"))
  f:write(source)
end
save("#!/usr/bin/lua\nlocal a, b = ...\nreturn a, b, debug.getinfo(1, 'l').currentline")
local chunk = assert(loadfile(name))
local a, b, line = chunk(1, 2)
assert(a == 1 and b == 2 and line == 3)
assert(select("#", dofile(name)) == 3)
save("\xEF\xBB\xBFx = 1")
local env = {}
assert(loadfile(name, "t", env))()
assert(env.x == 1)
save("return return")
chunk, why = loadfile(name)
assert(chunk == nil and why:find(name .. ":1:", 1, true))
ok, why = pcall(dofile, name)
assert(not ok and why:find(name .. ":1:", 1, true))
chunk, why = loadfile("/nowhere/file")
assert(chunk == nil and why == "cannot open /nowhere/file: No such file or directory")
save(string.dump(function() return 7 end))
assert(dofile(name) == 7 and loadfile(name, "t") == nil)

-- Modules
local folder, base = name:match("^(.*/)(.*)$")
package.path = folder .. "?;" .. package.path
save("local name, file = ...; return { name = name, file = file }")
local module, file = require(base)
assert(module.name == base and file == name and module.file == name and require(base) == module)
assert(package.searchpath(base, folder .. "?") == name)
local found, tried = package.searchpath("a.b", "/x/?.lua;/y/?/z")
assert(found == nil and tried == "no file '/x/a/b.lua'\n\tno file '/y/a/b/z'")
ok, why = pcall(require, "no.such")
local expected = "module 'no.such' not found:\n\tno field package.preload['no.such']\n\tno file"
assert(not ok and why:find(expected, 1, true))
package.loaded[base] = nil
save("return return")
ok, why = pcall(require, base)
assert(not ok and why:find("error loading module '" .. base .. "' from file", 1, true))
save("error 'while loading'")
ok, why = pcall(require, base)
assert(not ok and why:find("while loading", 1, true) and package.loaded[base] == nil)
save("return false")
assert(require(base) == false and package.loaded[base] == false)
package.loaded[base] = nil
assert(os.remove(name))
