-- The base functions that are ours: print and io over the host's streams, require that may wait.
local _, native = ...

local out, flush = native.out, native.flush

--- Writes to standard output; waits a moment when a megabyte is waiting to be read.
local function write_out(bytes)
  local full, err, detail = out(bytes)
  if full == nil then return nil, err, detail end
  if full and coroutine.isyieldable() then
    local time = require "reactor.time"
    while not flush() do time.sleep(0.002) end
  end
  return true
end

print = native.make_print(out)

local stdout = {}
stdout.__index = stdout
stdout.__name = "FILE*"

local function write(self, ...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if type(value) ~= "string" and type(value) ~= "number" then
      error(("bad argument #%d to 'write' (string expected, got %s)"):format(i, type(value)), 3)
    end
    local ok, err, detail = write_out(tostring(value))
    if not ok then return nil, err, detail end
  end
  return self
end

function stdout:write(...) return write(self, ...) end
function stdout:flush() flush() return self end
function stdout:setvbuf() return true end
function stdout:close() return nil, "cannot close standard file" end

io.stdout = setmetatable({}, stdout)
function io.write(...) return write(io.stdout, ...) end
os.getenv = native.getenv

-- require, whose searchers and module bodies may wait. A module that is being loaded by one
-- task makes the others wait for it.
local loading = {}

function require(name)
  if type(name) ~= "string" then
    error(("bad argument #1 to 'require' (string expected, got %s)"):format(type(name)), 2)
  end
  local loaded = package.loaded
  if loaded[name] ~= nil then return loaded[name] end
  while loading[name] and coroutine.isyieldable() do
    require("reactor.task").yield()
    if loaded[name] ~= nil then return loaded[name] end
  end
  local messages = {}
  for _, searcher in ipairs(package.searchers) do
    local loader, extra = searcher(name)
    if type(loader) == "function" then
      loading[name] = true
      local done <close> = setmetatable({}, { __close = function() loading[name] = nil end })
      local result = loader(name, extra)
      if result ~= nil then loaded[name] = result end
      if loaded[name] == nil then loaded[name] = true end
      return loaded[name], extra
    elseif type(loader) == "string" then
      messages[#messages + 1] = loader
    end
  end
  error(("module '%s' not found:%s"):format(name, table.concat(messages)), 2)
end
