-- Values as texts that people can compare: what a failed expectation prints.
local show = {}

local MAX_DEPTH, MAX_LINES, MAX_TEXT = 12, 400, 2000

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function escape(byte)
  return escapes[byte] or ("\\x%02X"):format(byte:byte())
end

--- Escapes the bytes of a class, and those that are not UTF-8.
local function escape_bytes(s, class)
  if not utf8.len(s) then class = class:sub(1, -2) .. "\x80-\xFF]" end
  return (s:gsub(class, escape))
end

--- A string in quotes. Bytes that are no text are escaped; UTF-8 stays.
function show.text(s)
  local cut = #s > MAX_TEXT and ("… (%d bytes)"):format(#s) or ""
  return '"' .. escape_bytes(s:sub(1, MAX_TEXT), '[%c"\\]') .. '"' .. cut
end

local function scalar(value)
  if type(value) == "string" then return show.text(value) end
  if math.type(value) == "float" and value == value and math.abs(value) < math.huge then
    local text = ("%.14g"):format(value)
    if tonumber(text) ~= value then text = ("%.17g"):format(value) end
    return text:find "[.e]" and text or text .. ".0"
  end
  return tostring(value)
end

local order = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local first, second = order[type(a)] or 4, order[type(b)] or 4
  if first ~= second then return first < second end
  if first <= 2 then return a < b end
  return tostring(a) < tostring(b)
end

local function sorted_keys(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys, before)
  return keys
end

local function describes_itself(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

local lines_of

local function add_table(lines, value, indent, prefix, suffix, seen)
  local first = #lines + 1
  lines[first] = indent .. prefix .. "{"
  local next_index = 1
  for _, key in ipairs(sorted_keys(value)) do
    if #lines >= MAX_LINES then
      lines[#lines + 1] = indent .. "  …"
      break
    end
    local name = ""
    if key == next_index then
      next_index = next_index + 1
    elseif type(key) == "string" and key:find "^[%a_][%w_]*$" then
      name = key .. " = "
    else
      name = "[" .. scalar(key) .. "] = "
    end
    lines_of(lines, rawget(value, key), indent .. "  ", name, ",", seen)
  end
  if #lines == first then
    lines[first] = indent .. prefix .. "{}" .. suffix
  else
    lines[#lines + 1] = indent .. "}" .. suffix
  end
end

function lines_of(lines, value, indent, prefix, suffix, seen)
  if type(value) ~= "table" or seen[value] or #indent > 2 * MAX_DEPTH then
    local text = type(value) == "table" and (seen[value] and "(itself)" or "{…}") or scalar(value)
    lines[#lines + 1] = indent .. prefix .. text .. suffix
    return
  end
  local first = #lines + 1
  seen[value] = true
  add_table(lines, value, indent, prefix, suffix, seen)
  seen[value] = nil
  if describes_itself(value) then
    local ok, text = pcall(tostring, value)
    if ok then lines[first] = lines[first] .. " -- " .. text:gsub("\n.*", " …") end
  end
end

local function value_lines(value)
  local lines = {}
  lines_of(lines, value, "", "", "", {})
  return lines
end

--- The lines of a string, without quotes.
local function text_lines(value)
  local lines = {}
  for line in (value .. "\n"):gmatch "(.-)\n" do
    if #lines == MAX_LINES then break end
    lines[#lines + 1] = escape_bytes(line, "[%c]")
  end
  return lines
end

--- A value on one line where it fits, else on several.
function show.value(value)
  if type(value) ~= "table" then return scalar(value) end
  local lines = value_lines(value)
  local short = {}
  for i, line in ipairs(lines) do short[i] = line:match "^%s*(.*)$" end
  local text = table.concat(short, " "):gsub(", }", " }")
  return #text <= 72 and text or table.concat(lines, "\n")
end

--- Lengths of the longest common sequences of the ends of two lists.
local function common_lengths(a, b)
  local lengths = {}
  for i = #a + 1, 1, -1 do
    lengths[i] = {}
    for j = #b + 1, 1, -1 do
      if i > #a or j > #b then
        lengths[i][j] = 0
      elseif a[i] == b[j] then
        lengths[i][j] = lengths[i + 1][j + 1] + 1
      else
        lengths[i][j] = math.max(lengths[i + 1][j], lengths[i][j + 1])
      end
    end
  end
  return lengths
end

local CONTEXT = 3 -- lines around a difference

--- Leaves out what is far from any difference.
local function shorten(rows)
  local near = {}
  for i, row in ipairs(rows) do
    if row:sub(1, 1) ~= " " then
      for k = i - CONTEXT, i + CONTEXT do near[k] = true end
    end
  end
  local kept, skipping = {}, false
  for i, row in ipairs(rows) do
    if near[i] then
      kept[#kept + 1] = row
    elseif not skipping then
      kept[#kept + 1] = "  …"
    end
    skipping = not near[i]
  end
  return kept
end

--- What differs between two tables or two strings, line by line: "-" is only expected, "+" only
--- there.
function show.difference(expected, got)
  local lines = type(got) == "string" and text_lines or value_lines
  local a, b = lines(expected), lines(got)
  local lengths = common_lengths(a, b)
  local rows, i, j = {}, 1, 1
  while i <= #a or j <= #b do
    if i <= #a and j <= #b and a[i] == b[j] then
      rows[#rows + 1] = "  " .. a[i]
      i, j = i + 1, j + 1
    elseif j > #b or i <= #a and lengths[i + 1][j] >= lengths[i][j + 1] then
      rows[#rows + 1] = "- " .. a[i]
      i = i + 1
    else
      rows[#rows + 1] = "+ " .. b[j]
      j = j + 1
    end
  end
  return table.concat(shorten(rows), "\n")
end

return show
