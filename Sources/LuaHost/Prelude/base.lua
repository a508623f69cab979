-- The base functions that are ours: print, io and os over the host, and require that may wait.
local _, native, misuse, check = ...

--- The results of a stock function. Its error names the line of the script, not one of this file.
local function relay(name, ok, ...)
  if ok then return ... end
  misuse(((...):gsub("'%?'", "'" .. name .. "'")))
end

print = native.make_print(native.out)

-- io: what nearly every script uses is native. The rest is in io.lua, loaded at its first use.

local stock = {}
for name, value in pairs(io) do
  stock[name] = value
  io[name] = nil
end

local standard = native.standard_file
io.stdin, io.stdout, io.stderr = standard(0), standard(1), standard(2)
local defaults = { io.stdin, io.stdout }
local methods = native["FILE*_methods"]
io.open = native.open
io.read = native.bind(methods.read, defaults, 1)
io.write = native.bind(methods.write, defaults, 2)

local function load_rest()
  setmetatable(io, nil)
  setmetatable(methods, nil)
  package.preload["reactor.io"]()(native, stock, methods, defaults)
end

setmetatable(io, {
  __index = function(_, name)
    load_rest()
    return io[name]
  end,
  __pairs = function()
    load_rest()
    return pairs(io)
  end,
})

setmetatable(methods, {
  __index = function(_, name)
    load_rest()
    return methods[name]
  end,
})

-- os

local stock_time, stock_date, stock_execute = os.time, os.date, os.execute
os.getenv, os.exit, os.remove, os.rename = native.getenv, native.exit, native.remove, native.rename
os.tmpname, os.clock = native.temporary_name, native.processor_time

function os.time(...)
  if (...) == nil then return native.wall_time() end
  return relay("time", pcall(stock_time, ...))
end

function os.date(format, time)
  return relay("date", pcall(stock_date, format or "%c", time or native.wall_time()))
end

--- Blocks every task until the command has ended. `reactor.process` does not.
function os.execute(...)
  io.stdout:flush()
  return relay("execute", pcall(stock_execute, ...))
end

-- math: random numbers come from the kernel, so that a simulated one can repeat them.

local stock_seed = math.randomseed

function math.randomseed(...)
  if select("#", ...) == 0 then return stock_seed(native.seed()) end
  return relay("randomseed", pcall(stock_seed, ...))
end

math.randomseed()

-- Loading

--- The text of a chunk without a byte order mark and without a first line that begins with '#'.
local function strip(source)
  if source:find("^\xEF\xBB\xBF") then source = source:sub(4) end
  if source:find("^#") then source = source:gsub("^[^\n]*", "", 1):gsub("^\n\27", "\27") end
  return source
end

local function check_name(what, name)
  if name ~= nil and type(name) ~= "number" then check(what, 1, name, "string") end
end

function loadfile(name, mode, ...)
  check_name("loadfile", name)
  if mode ~= nil then check("loadfile", 2, mode, "string") end
  local file, why = io.stdin, nil
  if name ~= nil then file, why = io.open(name) end
  if not file then return nil, "cannot open " .. why end
  local source
  source, why = file:read("a")
  if name ~= nil then file:close() end
  if not source then return nil, ("cannot read %s: %s"):format(name or "stdin", why) end
  return load(strip(source), name and "@" .. name or "=stdin", mode, ...)
end

function dofile(name)
  check_name("dofile", name)
  local chunk, why = loadfile(name)
  if not chunk then error(why, 0) end
  return chunk()
end

function package.searchpath(name, path, separator, replacement)
  separator, replacement = separator or ".", replacement or "/"
  check("searchpath", 1, name, "string")
  check("searchpath", 2, path, "string")
  check("searchpath", 3, separator, "string")
  check("searchpath", 4, replacement, "string")
  if separator ~= "" then
    name = name:gsub(separator:gsub("%p", "%%%0"), (replacement:gsub("%%", "%%%%")))
  end
  local tried = {}
  for template in path:gmatch("[^;]+") do
    local file = template:gsub("?", (name:gsub("%%", "%%%%")))
    if native.is_readable(file) then return file end
    tried[#tried + 1] = "no file '" .. file .. "'"
  end
  return nil, table.concat(tried, "\n\t")
end

package.searchers[2] = function(name)
  if type(package.path) ~= "string" then error("'package.path' must be a string", 0) end
  local file, tried = package.searchpath(name, package.path)
  if not file then return tried end
  local loader, why = loadfile(file)
  if loader then return loader, file end
  error(("error loading module '%s' from file '%s':\n\t%s"):format(name, file, why), 0)
end

-- A C module can hold coroutines that the host does not know of.
local function noting(load_native)
  return function(...)
    local loader, detail, kind = load_native(...)
    if type(loader) == "function" then native.note_native_code() end
    return loader, detail, kind
  end
end

for i = 3, #package.searchers do package.searchers[i] = noting(package.searchers[i]) end
package.loadlib = noting(package.loadlib)

-- require, whose searchers and module bodies may wait. A module that is being loaded by one
-- task makes the others wait for it.
local loading = {} -- module -> the task that loads it
local wanted = {} -- task -> the module that it waits for

--- Whether the task would wait for itself, directly or through others.
local function is_circular(name, task)
  local owner = loading[name]
  while owner and owner ~= task do owner = loading[wanted[owner]] end
  return owner == task
end

local function wait_for(name)
  local task = native.task()
  if is_circular(name, task) then
    misuse(("module '%s' is required by itself while it is being loaded"):format(name))
  end
  if not coroutine.isyieldable() then
    misuse(("module '%s' is being loaded by another task"):format(name))
  end
  -- Made first: what is noted below must not stay when there is no memory for this.
  local _ <close> = setmetatable({}, { __close = function() wanted[task] = nil end })
  wanted[task] = name
  while loading[name] do require("reactor.time").sleep(0.001) end
end

local function find(name)
  local messages = {}
  for _, searcher in ipairs(package.searchers) do
    local loader, extra = searcher(name)
    if type(loader) == "function" then return loader, extra end
    if type(loader) == "string" then messages[#messages + 1] = "\n\t" .. loader end
  end
  misuse(("module '%s' not found:%s"):format(name, table.concat(messages)))
end

function require(name)
  check("require", 1, name, "string")
  local loaded = package.loaded
  if not loaded[name] and loading[name] then wait_for(name) end
  if loaded[name] then return loaded[name] end
  local _ <close> = setmetatable({}, { __close = function() loading[name] = nil end })
  loading[name] = native.task()
  local loader, extra = find(name)
  local result = loader(name, extra)
  if result ~= nil then loaded[name] = result end
  if loaded[name] == nil then loaded[name] = true end
  return loaded[name], extra
end
