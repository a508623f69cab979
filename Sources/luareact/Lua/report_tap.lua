-- The report as Test Anything Protocol, version 14.
local report = { started = function() end, ended = function() end }
local number = 0

local function escape(text) return (text:gsub("[\\#]", "\\%0"):gsub("[\r\n]", " ")) end

--- The lines of a text as a block of YAML.
local function block(name, text)
  io.write("  ", name, ": |\n    ", (text:gsub("\n$", ""):gsub("\n", "\n    ")), "\n")
end

function report.file(run)
  for _, one in ipairs(run.tests) do
    number = number + 1
    if number == 1 then io.write "TAP version 14\n" end
    local is_failed = one.status == "failed"
    local skip = one.status == "skipped" and " # SKIP " .. escape(one.text) or ""
    io.write(is_failed and "not ok " or "ok ", number, " - ", escape(one.full_name), skip, "\n")
    io.write("  ---\n  duration_ms: ", ("%.3f"):format(one.seconds * 1000), "\n")
    if is_failed then
      block("message", one.text)
      if run.output ~= "" then block("output", run.output) end
    end
    io.write "  ...\n"
  end
end

function report.finish()
  if number == 0 then io.write "TAP version 14\n" end
  io.write("1..", number, number == 0 and " # there is no test to run" or "", "\n")
end

return report
