-- The part of reactor.test that runs what was collected: Run.all(group, options).
local _, native = ...
local task, time = require "reactor.task", require "reactor.time"
local expectation = require "reactor.test.expect"
local show = require "reactor.test.show"

local DEFAULT_TIMEOUT = 30 -- seconds

local Run = { reports = native.reports }
Run.__index = Run

local running = 0 -- tests under way: more than one when a test runs tests
function Run.is_running() return running > 0 end

local Skip = { __name = "skipped test" }
function Skip:__tostring() return "skipped: " .. self.reason end
function Run.skip(reason) error(setmetatable({ reason = reason }, Skip), 0) end

-- What went wrong, as a text

--- An error as a text: the message, and the lines of the script that led to it.
local function describe(e, traceback)
  local text
  if getmetatable(e) == expectation.Failure then
    text, traceback = tostring(e), e.traceback
  else
    local meta = debug.getmetatable(e)
    local has_text = type(e) == "string" or type(meta) == "table" and meta.__tostring
    local ok, own = pcall(tostring, e)
    text = has_text and ok and own or "the error is " .. show.value(e)
  end
  local place = (traceback or ""):match "^\t(.-:%d+:)[^\n]*$"
  if not traceback or traceback == "" or place and text:find(place, 1, true) then return text end
  return text .. "\nstack traceback:\n" .. traceback
end

--- What is open now: a list, and each thing by its key too.
local function open_things()
  local things = {}
  for i, fields in ipairs(native.open()) do
    local thing = {}
    thing.key, thing.text, thing.kind, thing.slot, thing.generation, thing.traceback =
      table.unpack(fields)
    if thing.kind == "task" then
      thing.text = thing.text .. ", in\n" .. expectation.trim(thing.traceback)
    end
    things[i], things[thing.key] = thing, thing
  end
  return things
end

--- What is open and was not `before`.
local function opened_since(before)
  local opened = {}
  for _, thing in ipairs(open_things()) do
    if not before[thing.key] then opened[#opened + 1] = thing end
  end
  return opened
end

local function tasks_in(things)
  local tasks = {}
  for _, thing in ipairs(things) do
    if thing.kind == "task" then tasks[#tasks + 1] = thing end
  end
  return tasks
end

local function texts_of(things)
  local texts = {}
  for i, thing in ipairs(things) do texts[i] = thing.text end
  return table.concat(texts, "\n")
end

--- Lets the host poll, and free what was collected.
local function turn() time.sleep(0) end

--- What was left open since `before`, but for what is `known` already. Tasks are cancelled.
local function leaks_since(before, known)
  local leaks, quiet = {}, {}
  for _, thing in ipairs(opened_since(before)) do
    if not known[thing.key] then
      table.insert(thing.kind == "quiet" and quiet or leaks, thing)
    end
  end
  if #quiet > 0 then
    -- Files and registrations may be left to the collector, as long as nobody holds them.
    collectgarbage()
    turn()
    local still = open_things()
    for _, thing in ipairs(quiet) do leaks[#leaks + 1] = still[thing.key] end
    native.reports() -- of what was just collected, and is among the leaks
  end
  for _, thing in ipairs(leaks) do known[thing.key] = true end
  for _, thing in ipairs(tasks_in(leaks)) do native.cancel(thing.slot, thing.generation) end
  if #leaks > 0 then turn() end
  return leaks
end

--- What the host has reported, as a text; nil: nothing.
local function take_reports(may_leak)
  local texts = {}
  for _, text in ipairs(native.reports()) do
    if not (may_leak and text:find("was collected unclosed", 1, true)) then
      texts[#texts + 1] = text
    end
  end
  return #texts > 0 and table.concat(texts, "\n") or nil
end

-- Running

--- Runs fn as a task, and its children, for at most `limit` seconds. Returns nil, or what went
--- wrong as a text, or nil and why it was skipped.
local function attempt(limit, fn)
  local first, traceback, late
  local function note(e)
    first, traceback = e, expectation.trim(debug.traceback("", 2))
    return e
  end
  local ok, e = pcall(task.scope, function()
    local before = open_things()
    local body = task.spawn(function()
      local ended, why = xpcall(fn, note)
      if not ended then error(why, 0) end
    end)
    body:join(limit)
    if body:status() == "ended" then return end
    late = texts_of(tasks_in(opened_since(before)))
    body:cancel()
    body:result()
  end)
  if late then return ("did not end within %g s:\n%s"):format(limit, late) end
  if ok then return nil end
  if task.is_cancelled(e) then error(e, 0) end -- it is the run that is to end
  if getmetatable(e) == Skip then return nil, e.reason end
  return describe(e, e == first and traceback or nil)
end

--- The groups around an entry, outermost first.
local function groups_around(entry)
  local groups, group = {}, entry.parent
  while group do
    table.insert(groups, 1, group)
    group = group.parent
  end
  return groups
end

local function full_name(entry)
  local names = {}
  for _, group in ipairs(groups_around(entry)) do names[#names + 1] = group.name end
  names[#names + 1] = entry.name
  return table.concat(names, " > ")
end

--- Runs a test with the hooks around it. Returns the texts of what went wrong, or why it was
--- skipped.
local function run_body(entry, limit)
  local groups = groups_around(entry)
  local problem, skipped = attempt(limit, function()
    for _, group in ipairs(groups) do
      for _, hook in ipairs(group.before_each) do hook() end
    end
    return entry.fn()
  end)
  local problems = { problem }
  for i = #groups, 1, -1 do
    for _, hook in ipairs(groups[i].after_each) do
      problems[#problems + 1] = attempt(limit, hook)
    end
  end
  return problems, skipped
end

--- Adds to the problems what was reported and what was left open.
function Run:check_leftovers(entry, before, problems)
  problems[#problems + 1] = take_reports(entry.leaks)
  local leaks = leaks_since(before, self.known)
  if #leaks > 0 and not entry.leaks then
    problems[#problems + 1] = "left open:\n" .. texts_of(leaks)
  end
end

function Run:finish(entry, began, status, text)
  local event = {
    kind = "end", name = full_name(entry), status = status, text = text,
    seconds = time.mono() - began,
  }
  self.results[status] = self.results[status] + 1
  table.insert(self.results.tests, event)
  self.report(event)
end

--- Runs a test. `blocked` says why it cannot: a hook before it has failed.
function Run:test(entry, blocked)
  local limit = entry.timeout or self.timeout
  local began = time.mono()
  self.report { kind = "begin", name = full_name(entry), limit = limit }
  if entry.skip then return self:finish(entry, began, "skipped", entry.skip) end
  if blocked then return self:finish(entry, began, "failed", blocked) end
  local before = open_things()
  running = running + 1
  local _ <close> = setmetatable({}, { __close = function() running = running - 1 end })
  local problems, skipped = run_body(entry, limit)
  self:check_leftovers(entry, before, problems)
  if #problems > 0 then
    self:finish(entry, began, "failed", table.concat(problems, "\n"))
  elseif skipped then
    self:finish(entry, began, "skipped", skipped)
  else
    self:finish(entry, began, "passed")
  end
end

--- Runs hooks that stand for a whole group. Returns the texts of what went wrong.
local function run_hooks(list, limit)
  local problems = {}
  for _, hook in ipairs(list) do problems[#problems + 1] = attempt(limit, hook) end
  return problems
end

function Run:group(group, blocked)
  local limit = group.timeout or self.timeout
  local before = open_things()
  if not blocked and not group.skip then
    local problem = run_hooks(group.before, limit)[1]
    blocked = problem and "a hook before it failed: " .. problem
  end
  for _, entry in ipairs(group.entries) do
    if entry.is_selected then
      if entry.fn then self:test(entry, blocked) else self:group(entry, blocked) end
    end
  end
  if group.skip then return end
  local began = time.mono()
  local problems = run_hooks(group.after, limit)
  self:check_leftovers(group, before, problems)
  if #problems == 0 then return end
  local entry = { name = "(after)", parent = group }
  self:finish(entry, began, "failed", table.concat(problems, "\n"))
end

--- Marks what the filter selects, and returns how many tests that are.
local function select_tests(group, filter, prefix)
  local count = 0
  for _, entry in ipairs(group.entries) do
    local selected
    if not entry.fn then
      selected = select_tests(entry, filter, prefix)
    else
      selected = (prefix .. full_name(entry)):find(filter, 1, true) and 1 or 0
    end
    entry.is_selected = selected > 0
    count = count + selected
  end
  return count
end

--- Runs the tests of a group that has no group around it.
function Run.all(root, options)
  local self = setmetatable({
    results = { passed = 0, failed = 0, skipped = 0, tests = {} },
    known = {}, -- what was left open, and has been told
    report = options.report or function() end, timeout = options.timeout or DEFAULT_TIMEOUT,
  }, Run)
  local prefix = options.path and options.path .. " > " or ""
  local count = select_tests(root, options.filter or "", prefix)
  self.report { kind = "plan", selected = count, defined = #root.entries }
  if count == 0 then return self.results end
  local is_outermost = running == 0
  local _ <close> = setmetatable({}, { __close = function()
    if is_outermost then native.watch(false) end
  end })
  if is_outermost then native.watch(true) end
  self:group(root)
  return self.results
end

return Run
