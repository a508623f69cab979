-- The report as JUnit's XML, in a file: (path, total, results) -> true, or nil and why not.
local path, total, results = ...

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

--- A text with what XML does not take replaced.
local function escape(text)
  if not utf8.len(text) then text = text:gsub("[\x80-\xFF]", "?") end
  text = text:gsub("[\0-\8\11\12\14-\31\127]", "?"):gsub("\u{FFFE}", "?"):gsub("\u{FFFF}", "?")
  return (text:gsub('[&<>"]', entities))
end

local out = {}
local function add(format, ...) out[#out + 1] = format:format(...) end

local function add_test(run, one)
  add('    <testcase classname="%s" name="%s" time="%.3f"', escape(run.path),
    escape(one.name or run.path), one.seconds)
  if one.status == "passed" then return add "/>\n" end
  add ">\n"
  if one.status == "skipped" then
    add('      <skipped message="%s"/>\n', escape(one.text))
  else
    local first = one.text:match "^[^\n]*"
    add('      <failure message="%s">%s</failure>\n', escape(first), escape(one.text))
  end
  add "    </testcase>\n"
end

add '<?xml version="1.0" encoding="UTF-8"?>\n'
add('<testsuites tests="%d" failures="%d" skipped="%d" time="%.3f">\n',
  total.passed + total.failed + total.skipped, total.failed, total.skipped, total.seconds)
for _, run in ipairs(results) do
  add('  <testsuite name="%s" tests="%d" failures="%d" skipped="%d" time="%.3f">\n',
    escape(run.path), #run.tests, run.failed, run.skipped, run.seconds)
  for _, one in ipairs(run.tests) do add_test(run, one) end
  if run.output ~= "" then add("    <system-out>%s</system-out>\n", escape(run.output)) end
  add "  </testsuite>\n"
end
add "</testsuites>\n"

local file, why = io.open(path, "w")
if not file then return nil, "cannot write " .. why end
local ok
ok, why = file:write(table.concat(out))
if ok then ok, why = file:close() else file:close() end
if not ok then return nil, ("cannot write %s: %s"):format(path, why) end
return true
