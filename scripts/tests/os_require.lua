-- require: modules that wait while they load, several tasks that want one, circles, C modules.
local task, time = require "reactor.task", require "reactor.time"
local folder = os.tmpname()
assert(os.remove(folder) and os.execute("mkdir " .. folder))
package.path = folder .. "/?.lua;" .. package.path
local made = {}

local function module(name, source)
  local f <close> = assert(io.open(folder .. "/" .. name .. ".lua", "w"))
  f:write(source)
  made[#made + 1] = folder .. "/" .. name .. ".lua"
end

module("slow", [[
  loads = (loads or 0) + 1
  require("reactor.time").sleep(0.02)
  return { name = ... }
]])
local got, tasks = {}, {}
for i = 1, 3 do
  tasks[i] = task.spawn(function() got[i] = require "slow" end)
end
for i = 1, 3 do tasks[i]:join() end
assert(got[1] and got[1] == got[2] and got[2] == got[3] and rawget(_G, "loads") == 1)

-- A circle is an error, and names the module
module("self", "local self = require 'self' return self")
local ok, why = pcall(require, "self")
assert(not ok and why:find("module 'self' is required by itself", 1, true), why)
assert(why:find("self.lua:1:", 1, true), why)
module("first", "require 'reactor.time'.sleep(0.01) return require 'second'")
module("second", "require 'reactor.time'.sleep(0.01) return require 'first'")
local failures = 0
for i, name in ipairs { "first", "second" } do
  tasks[i] = task.spawn(function()
    if not pcall(require, name) then failures = failures + 1 end
  end)
end
for i = 1, 2 do tasks[i]:join() end
assert(failures >= 1)

-- One that fails can be required again
module("failing", "error 'once'")
assert(not pcall(require, "failing"))
module("failing", "return 'well'")
assert(require "failing" == "well")

-- A C module, where there is one
if pcall(require, "lpeg") then
  assert(require("lpeg").P("a"):match("a") == 2)
  time.sleep(0.01)
end
for _, name in ipairs(made) do os.remove(name) end
assert(os.remove(folder))
