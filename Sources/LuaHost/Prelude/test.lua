-- require "reactor.test": tests, each a task of its own. `luareact test` collects and runs them.
local Run = require "reactor.test.run"
local test = { expect = require("reactor.test.expect").expect }

local option_types = { timeout = "number", leaks = "boolean", skip = "string" }
local hooks = { "before", "after", "before_each", "after_each" }

local suite -- the group that is being filled; nil: nobody collects

-- Collecting

--- Raises at the line of the script that called a function of this module.
local function misuse(text, ...) error(text:format(...), 4) end

--- Checks (name [, options], fn) of a definition, and returns options and fn.
local function definition(what, name, options, fn)
  local place = fn == nil and 2 or 3
  if fn == nil then options, fn = {}, options end
  if type(name) ~= "string" then
    misuse("bad argument #1 to '%s' (string expected, got %s)", what, type(name))
  elseif type(options) ~= "table" then
    misuse("bad argument #2 to '%s' (table expected, got %s)", what, type(options))
  elseif type(fn) ~= "function" then
    misuse("bad argument #%d to '%s' (function expected, got %s)", place, what, type(fn))
  elseif not suite then
    misuse("'%s' outside of a test file: run it by `luareact test FILE` or in test.run", what)
  end
  for key, value in pairs(options) do
    local wanted = option_types[key]
    if not wanted then
      misuse("unknown option '%s' to '%s'", tostring(key), what)
    elseif type(value) ~= wanted then
      misuse("bad option '%s' to '%s' (%s expected, got %s)", key, what, wanted, type(value))
    end
  end
  return options, fn
end

--- A group of tests, or a test: its options are those of the group around it, unless it has others.
local function new_entry(name, options, parent)
  local entry = { name = name, parent = parent, entries = {} }
  for option in pairs(option_types) do
    entry[option] = options[option]
    if entry[option] == nil and parent then entry[option] = parent[option] end
  end
  for _, hook in ipairs(hooks) do entry[hook] = {} end
  if parent then table.insert(parent.entries, entry) end
  return entry
end

--- Fills a group with what fn defines.
local function fill(group, fn)
  local outer = suite
  local _ <close> = setmetatable({}, { __close = function() suite = outer end })
  suite = group
  return (fn())
end

--- Groups the tests that fn defines. The options hold for all of them.
function test.describe(name, options, fn)
  options, fn = definition("describe", name, options, fn)
  fill(new_entry(name, options, suite), fn)
end

--- Defines a test: it passes when fn returns and the tasks that it spawned have ended.
function test.it(name, options, fn)
  options, fn = definition("it", name, options, fn)
  new_entry(name, options, suite).fn = fn
end

for _, hook in ipairs(hooks) do
  --- before, after: once around the tests of a group; before_each, after_each: around each.
  test[hook] = function(fn)
    if type(fn) ~= "function" then
      error(("bad argument #1 to '%s' (function expected, got %s)"):format(hook, type(fn)), 2)
    end
    if not suite then error(("'%s' outside of a test file"):format(hook), 2) end
    table.insert(suite[hook], fn)
  end
end

--- A file may return its tests: functions whose names begin with "test", in the order of lines.
local function collect_returned(results, root)
  if type(results) ~= "table" then return end
  local found = {}
  for name, fn in next, results do
    if type(name) == "string" and name:find "^test" and type(fn) == "function" then
      found[#found + 1] = { name = name, fn = fn, line = debug.getinfo(fn, "S").linedefined }
    end
  end
  table.sort(found, function(a, b)
    if a.line ~= b.line then return a.line < b.line end
    return a.name < b.name
  end)
  for _, entry in ipairs(found) do new_entry(entry.name, {}, root).fn = entry.fn end
end

-- Inside a test

--- Ends the running test, which counts as skipped.
function test.skip(reason)
  if type(reason) ~= "string" then
    error(("bad argument #1 to 'skip' (string expected, got %s)"):format(type(reason)), 2)
  end
  if not Run.is_running() then error("'skip' outside of a test", 2) end
  Run.skip(reason)
end

--- Takes what the host has reported during this test: texts, which then do not make it fail.
function test.reports()
  if not Run.is_running() then error("'reports' outside of a test", 2) end
  return Run.reports()
end

-- Running

local run_options = { filter = "string", timeout = "number", report = "function", path = "string" }

--- Runs the tests that body() defines, one after another. Returns
--- { passed = n, failed = n, skipped = n, tests = { events } }.
function test.run(body, options)
  if type(body) ~= "function" then
    error(("bad argument #1 to 'run' (function expected, got %s)"):format(type(body)), 2)
  end
  options = options or {}
  for key, value in pairs(options) do
    if type(value) ~= run_options[key] then
      error(("bad option '%s' to 'run'"):format(tostring(key)), 2)
    end
  end
  local root = new_entry(nil, {})
  collect_returned(fill(root, body), root)
  return Run.all(root, options)
end

-- test("name", fn) is test.it("name", fn).
return setmetatable(test, { __call = function(_, ...) return test.it(...) end })
