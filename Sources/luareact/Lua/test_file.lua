-- The process of one test file: collects its tests and runs them, or runs a plain script.
local native = require "luareact.test"
local test = require "reactor.test"

local options = native.options()
local path, source, filter = options.path, native.source_of_file(), options.filter or nil

local is_plain = not source:find("reactor.test", 1, true)
if filter and is_plain and not path:find(filter, 1, true) then
  native.emit("plan", 0, 1)
  return
end

local chunk, why = load(source, "@" .. path, "t")
if not chunk then error(why, 0) end

local has_tests = false
local results = test.run(chunk, {
  path = path, filter = filter, timeout = options.timeout,
  report = function(event)
    if event.kind == "plan" then
      has_tests = event.defined > 0
      native.emit("plan", event.selected, event.defined)
    elseif event.kind == "begin" then
      native.emit("begin", event.name, event.limit)
    else
      native.emit("end", event.name, event.status, event.seconds, event.text or "")
    end
  end,
})

-- A plain script ends as any other. After tests nothing has to: what they left open is reported.
if has_tests then os.exit(results.failed == 0) end
