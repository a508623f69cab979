-- The report for people: a line for each file, failures in full, then the sums. On a terminal it
-- has colours, and a line that says what runs now.
local options = ...
local sys = require "reactor.sys"

local is_terminal = sys.isatty(1) and os.getenv "TERM" ~= "dumb"
local has_colours = is_terminal and (os.getenv "NO_COLOR" or "") == ""
local codes = { red = 31, green = 32, yellow = 33, dim = 2, bold = 1 }

local function paint(colour, text)
  return has_colours and ("\27[%dm%s\27[0m"):format(codes[colour], text) or text
end

-- Progress: the last line of a terminal

local running, started, count = {}, 0, 0

local function clear() if is_terminal then io.write "\r\27[K" end end

local function draw()
  if not is_terminal then return end
  local line = ("[%d/%d] %s"):format(started, count, table.concat(running, " "))
  if utf8.len(line) == nil or #line > 78 then line = line:sub(1, 76) .. ".." end
  io.write("\r\27[K", paint("dim", line))
  io.stdout:flush()
end

local report = {}

function report.started(path, files)
  started, count = started + 1, files
  running[#running + 1] = path
  draw()
end

function report.ended(path)
  for i = #running, 1, -1 do
    if running[i] == path then table.remove(running, i) end
  end
  draw()
end

-- Files

local function indent(text, by) return (by .. text:gsub("\n$", ""):gsub("\n", "\n" .. by)) end

--- Colours what a difference has on one side only.
local function paint_difference(text)
  if not has_colours then return text end
  text = ("\n" .. text):gsub("\n(%- [^\n]*)", function(row) return "\n" .. paint("red", row) end)
  text = text:gsub("\n(%+ [^\n]*)", function(row) return "\n" .. paint("green", row) end)
  return text:sub(2)
end

local marks = {
  passed = paint("green", "ok  "), failed = paint("red", "FAIL"), skipped = paint("yellow", "skip"),
}

local function summary(run)
  if run.is_plain then return "" end
  local parts = { ("%d passed"):format(run.passed) }
  if run.failed > 0 then parts[#parts + 1] = ("%d failed"):format(run.failed) end
  if run.skipped > 0 then parts[#parts + 1] = ("%d skipped"):format(run.skipped) end
  return "  " .. table.concat(parts, ", ")
end

local function write_test(one)
  if one.status == "failed" then
    io.write("  ", marks.failed, " ", one.name, "\n")
    io.write(indent(paint_difference(one.text), "    "), "\n")
  elseif one.status == "skipped" then
    io.write("  ", marks.skipped, " ", one.name, ": ", one.text, "\n")
  elseif options.verbose then
    io.write("  ", marks.passed, " ", one.name, ("  %.2f s\n"):format(one.seconds))
  end
end

function report.file(run)
  clear()
  local mark = marks[run.failed > 0 and "failed" or "passed"]
  local seconds = paint("dim", ("  %.2f s"):format(run.seconds))
  io.write(mark, " ", run.path, summary(run), seconds, "\n")
  for _, one in ipairs(run.tests) do
    if one.name then
      write_test(one)
    elseif one.status == "failed" then
      io.write("    ", one.text, "\n")
    end
  end
  if run.failed > 0 and run.output ~= "" then
    io.write("  output:\n", indent(run.output, "    "), "\n")
  end
  draw()
end

function report.finish(total, results)
  clear()
  if total.failed > 0 then
    io.write "\nfailed:\n"
    for _, run in ipairs(results) do
      for _, one in ipairs(run.tests) do
        if one.status == "failed" then io.write("  ", one.full_name, "\n") end
      end
    end
  end
  if total.files == 0 then
    io.write(options.filter and "no test has a name with the text of --filter in it\n"
      or "there is no test to run\n")
  end
  local sums = ("%d passed, %d failed, %d skipped"):format(
    total.passed, total.failed, total.skipped)
  local colour = (total.failed > 0 or total.files == 0) and "red" or "green"
  io.write("\n", ("%d files in %.2f s\n"):format(total.files, total.seconds))
  io.write(paint(colour, sums), "\n")
end

return report
