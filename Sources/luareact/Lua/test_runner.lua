-- `luareact test`: runs each file in a process of its own, several at a time, and reports on
-- them in their order.
local native = require "luareact.test"
local reactor, sys = require "reactor", require "reactor.sys"
local task, time = require "reactor.task", require "reactor.time"

local options = native.options()
local GRACE = 5 -- seconds that a process has after the limit of the test that it runs

local function part(name, ...)
  return assert(load(native.source(name), "=[luareact." .. name .. "]", "t"))(...)
end

--- The fields of a record that a child has written.
local function decode(record)
  local fields, position = {}, 1
  while position <= #record do
    fields[#fields + 1], position = string.unpack("<s4", record, position)
  end
  return fields
end

--- Gives what can be read to `sink` until the end, or until the registration is gone.
local function read_all(fd, registration, sink)
  local function read() return sys.read(fd, 65536) end
  local bytes = registration:read_io(read)
  while bytes and bytes ~= "" do
    sink(bytes)
    bytes = registration:read_io(read)
  end
  if bytes == "" then return end
  -- The child has ended. What it started may hold the other end open: take what is there.
  bytes = read()
  while bytes and bytes ~= "" do
    sink(bytes)
    bytes = read()
  end
end

local handlers = {}

function handlers.plan(run, selected, defined)
  run.selected, run.defined = tonumber(selected), tonumber(defined)
end

function handlers.begin(run, name, limit)
  run.current, run.limit = name, tonumber(limit)
  run.deadline = time.mono() + run.limit + GRACE
end

handlers["end"] = function(run, name, status, seconds, text)
  run.current, run.limit = nil, options.timeout
  run.deadline = time.mono() + options.timeout + GRACE
  local one = { name = name, status = status, seconds = tonumber(seconds), text = text }
  table.insert(run.tests, one)
end

function handlers.exit(run, reports) run.reports = tonumber(reports) end

--- Takes whole records out of what the child has written.
local function event_sink(run)
  local rest = ""
  return function(bytes)
    rest = rest .. bytes
    while #rest >= 4 and #rest >= 4 + string.unpack("<I4", rest) do
      local record, position = string.unpack("<s4", rest)
      rest = rest:sub(position)
      local fields = decode(record)
      handlers[fields[1]](run, table.unpack(fields, 2))
    end
  end
end

--- Waits for the end of a process, and kills it when its time is over.
local function wait_for(run, process)
  local ended = assert(reactor.register(process, "r"))
  local left = run.deadline - time.mono()
  while not ended:readable(math.min(left, 1)) do
    left = run.deadline - time.mono()
    if left <= 0 then
      run.is_killed = true
      native.kill(process)
      ended:readable()
      break
    end
  end
  ended:deregister()
  return native.reap(process)
end

--- What was wrong with the process as a whole; nil: nothing.
local function problem_of(run, code, signal)
  local where = run.current and (" in the test '%s'"):format(run.current) or ""
  if run.is_killed then return ("killed: it took more than %g s%s"):format(run.limit, where) end
  if signal then return ("killed by signal %d%s"):format(signal, where) end
  if run.current then return ("ended by os.exit(%d)%s"):format(code, where) end
  local has_failures = false
  for _, one in ipairs(run.tests) do has_failures = has_failures or one.status == "failed" end
  if code ~= 0 and not has_failures then return ("ended with exit code %d"):format(code) end
  if run.reports ~= 0 then return "the host reported a mistake, which is in the output" end
end

--- Adds up a file: its tests, or the one that a plain script is.
local function conclude(run, problem)
  run.is_plain = (run.defined or 0) == 0
  if run.is_plain then
    local status = problem and "failed" or "passed"
    run.tests = { { status = status, seconds = run.seconds, text = problem or "" } }
  elseif problem then
    table.insert(run.tests, { name = "(the file)", status = "failed", seconds = 0, text = problem })
  end
  for _, one in ipairs(run.tests) do
    one.full_name = one.name and run.path .. " > " .. one.name or run.path
    run[one.status] = run[one.status] + 1
  end
  return run
end

--- Runs one file, and returns its record.
local function run_file(path)
  local run = {
    path = path, tests = {}, passed = 0, failed = 0, skipped = 0, seconds = 0, output = "",
    limit = options.timeout, deadline = time.mono() + options.timeout + GRACE, reports = 0,
  }
  local began = time.mono()
  local process, output, events = native.spawn(path)
  if not process then return conclude(run, "cannot be started: " .. output) end
  local pieces = {}
  local readers = { assert(reactor.register(output, "r")), assert(reactor.register(events, "r")) }
  local reading = {
    task.spawn(read_all, output, readers[1], function(bytes) pieces[#pieces + 1] = bytes end),
    task.spawn(read_all, events, readers[2], event_sink(run)),
  }
  local code, signal = wait_for(run, process)
  for i, reader in ipairs(readers) do
    reader:deregister()
    reading[i]:join()
  end
  sys.close(process) sys.close(output) sys.close(events)
  run.seconds, run.output = time.mono() - began, table.concat(pieces)
  return conclude(run, problem_of(run, code, signal))
end

-- The run

local files, why = native.files()
if not files then
  io.stderr:write("luareact: ", why, "\n")
  os.exit(2)
end

local report = part(options.tap and "report_tap" or "report_text", options, part)
local results, done, began, next_file, reported = {}, {}, time.mono(), 1, 0
local total = { passed = 0, failed = 0, skipped = 0, files = 0 }

--- Reports on the files that have ended, as far as all before them have, too.
local function report_ended()
  while done[reported + 1] do
    reported = reported + 1
    local run = done[reported]
    if #run.tests > 0 then
      results[#results + 1] = run
      total.files = total.files + 1
      for _, status in ipairs { "passed", "failed", "skipped" } do
        total[status] = total[status] + run[status]
      end
      report.file(run)
    end
  end
end

local function work()
  while next_file <= #files do
    local index = next_file
    next_file = index + 1
    report.started(files[index], #files)
    done[index] = run_file(files[index])
    report.ended(files[index])
    report_ended()
  end
end

task.scope(function()
  for _ = 1, math.min(options.jobs, #files) do task.spawn(work) end
end)

total.seconds = time.mono() - began
report.finish(total, results)
if options.junit then
  local ok, problem = part("report_junit", options.junit, total, results)
  if not ok then
    io.stderr:write("luareact: ", problem, "\n")
    os.exit(2)
  end
end
local is_empty = total.passed + total.failed + total.skipped == 0
os.exit(total.failed == 0 and not is_empty)
