-- The annotations in scripts/types name exactly what the host has: every function of a module
-- and every method of a handle, both ways.
local reactor = require "reactor"
local net, sys, task = require "reactor.net", require "reactor.sys", require "reactor.task"

local scripts = arg and arg[0]:match "^(.*)/tests/[^/]+$" or "scripts"

-- Built in, but not for scripts: the parts of print, io, os and require.
local inner_modules = {
  ["reactor.base"] = true, ["reactor.io"] = true, ["reactor.test.run"] = true,
  ["reactor.test.expect"] = true, ["reactor.test.show"] = true,
}
-- Steps of the library's own, which scripts have no use for.
local inner_methods = { ["reactor.Connection"] = { connect_finish = true } }

local listener = assert(net.listen "127.0.0.1:0")
local output = assert(sys.pipe())
local handles = {
  ["reactor.Listener"] = listener,
  ["reactor.Connection"] = assert(net.connect(listener:address())),
  ["reactor.UDPSocket"] = assert(net.udp()),
  ["reactor.File"] = assert(require "reactor.fs".open "/dev/null"),
  ["reactor.Registration"] = assert(reactor.register(output, "r")),
  ["reactor.Task"] = task.spawn(function() end),
  ["reactor.Expectation"] = require("reactor.test").expect(1),
}

local problems = {}
local function complain(...) problems[#problems + 1] = string.format(...) end

--- What a file annotates: module name, and for each class the set of its names.
local function read_annotations(path)
  local classes, tables, current, module = {}, {}, nil, nil
  for line in io.lines(path) do
    local class = line:match "^%-%-%-@class ([%w_.]+)"
    if class then
      current = class
      classes[class] = {}
    end
    local field = line:match "^%-%-%-@field ([%w_]+)"
    if field then classes[current][field] = "field" end
    module = module or line:match "^%-%-%-@meta ([%w_.]+)"
    local name = line:match "^local ([%w_]+) = {}$"
    if name then tables[name] = current end
    local owner, fn = line:match "^function ([%w_]+)[.:]([%w_]+)%("
    if owner then classes[tables[owner]][fn] = "function" end
  end
  return assert(module, path .. " has no ---@meta line with a name"), classes
end

--- Compares a class of the annotations with the table of functions that the host has.
local function compare(class, annotated, existing)
  local inner = inner_methods[class] or {}
  for name, kind in pairs(annotated) do
    if kind == "function" and type(existing[name]) ~= "function" then
      complain("%s.%s is annotated, and does not exist", class, name)
    end
  end
  for name in pairs(existing) do
    if not annotated[name] and not inner[name] then
      complain("%s.%s exists, and is not annotated", class, name)
    end
  end
end

local files = {}
for name in pairs(package.preload) do
  if name:find "^reactor" and not inner_modules[name] then files[#files + 1] = name end
end
table.sort(files)
assert(#files >= 5, "the modules are not found")

local compared = {}
for _, name in ipairs(files) do
  local path = ("%s/types/%s.lua"):format(scripts, name:match "[%w_]+$")
  local file = io.open(path)
  if file then
    file:close()
    local module, classes = read_annotations(path)
    assert(module == name, path .. " annotates " .. module)
    for class, annotated in pairs(classes) do
      local handle = handles[class]
      if class == name then
        compare(class, annotated, require(name))
      elseif handle then
        compare(class, annotated, debug.getmetatable(handle).__index)
        compared[class] = true
      else
        for fn, kind in pairs(annotated) do
          if kind == "function" then complain("%s.%s: no handle to check it on", class, fn) end
        end
      end
    end
  else
    complain("%s has no annotations: %s is missing", name, path)
  end
end
for class in pairs(handles) do
  if not compared[class] then complain("%s is not annotated", class) end
end

local closes = { ["reactor.Listener"] = true, ["reactor.Connection"] = true,
  ["reactor.UDPSocket"] = true }
for class, handle in pairs(handles) do
  if closes[class] then handle:close() end
end
handles["reactor.Registration"]:deregister()
table.sort(problems)
assert(#problems == 0, "\n" .. table.concat(problems, "\n"))
