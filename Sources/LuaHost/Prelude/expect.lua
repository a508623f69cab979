-- reactor.test's expect(…): checks whose failures show the values.
local show = require "reactor.test.show"

--- What a failed expectation raises: { text, where, traceback }.
local Failure = { __name = "failed expectation" }
function Failure:__tostring() return self.where .. ": " .. self.text end

--- The lines of a traceback that are the script's own.
local function trim(traceback)
  local kept = {}
  for line in traceback:gmatch "[^\n]+" do
    if line:find "^\t%[reactor" then
      -- Below the built-in part that called the script there is nothing of the script's.
      if #kept > 0 then break end
    elseif line:find "^\t" and (#kept > 0 or not line:find "^\t[%[(]") then
      kept[#kept + 1] = line
    end
  end
  while #kept > 0 and kept[#kept]:find "^\t[%[(]" do kept[#kept] = nil end
  return table.concat(kept, "\n")
end

local function fail(text)
  local level, info = 2, nil
  repeat
    info = debug.getinfo(level, "Sl")
    level = level + 1
  until not info or info.currentline > 0 and not info.source:find "^=%[reactor"
  local where = info and ("%s:%d"):format(info.short_src, info.currentline) or "?"
  local traceback = trim(debug.traceback("", 2))
  error(setmetatable({ text = text, where = where, traceback = traceback }, Failure), 0)
end

-- Deep equality

local same

local function same_tables(a, b, seen)
  -- A pair that is being compared further up is the same as far as it goes.
  local inner = seen[a]
  if inner and inner[b] then return true end
  seen[a] = inner or {}
  seen[a][b] = true
  for key, value in next, a do
    if not same(value, rawget(b, key), seen) then return false end
  end
  for key in next, b do
    if rawget(a, key) == nil then return false end
  end
  return true
end

function same(a, b, seen)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then
    return a ~= a and b ~= b -- NaN is what was expected
  end
  return same_tables(a, b, seen)
end

local function difference(expected, got)
  local one, other = show.value(expected), show.value(got)
  local is_long = one:find "\n" or other:find "\n" or #one + #other > 72
  local have_lines = type(expected) == type(got)
    and (type(got) == "table" or type(got) == "string" and (expected .. got):find "\n")
  if not is_long and not have_lines then return ("expected %s, got %s"):format(one, other) end
  if have_lines then
    return "expected (-) and got (+) differ:\n" .. show.difference(expected, got)
  end
  return ("expected %s\n     got %s"):format(one, other)
end

-- The checks: each answers whether it holds, and a text for when it does not.

local checks = {}

--- The first values are deeply equal to the ones given.
function checks.equals(values, ...)
  local expected = table.pack(...)
  for i = 1, expected.n do
    if not same(expected[i], values[i], {}) then
      local which = expected.n > 1 and ("value %d: "):format(i) or ""
      return false, which .. difference(expected[i], values[i])
    end
  end
  return true, "expected something else than " .. show.value(expected[1])
end

--- The value is this very one.
function checks.is(values, expected)
  local text = ("this very value: %s, got %s"):format(show.value(expected), show.value(values[1]))
  if rawequal(expected, values[1]) then return true, "expected another value than " .. text end
  return false, "expected " .. text
end

local function number(value, name)
  if type(value) == "number" then return value end
  fail(("expected a number for '%s', got %s"):format(name, show.value(value)))
end

--- The number is at most `tolerance` away.
function checks.near(values, expected, tolerance)
  local got = number(values[1], "near")
  local text = ("within %s of %s, got %s"):format(
    show.value(tolerance), show.value(expected), show.value(got))
  if math.abs(got - expected) <= tolerance then return true, "expected not " .. text end
  return false, "expected " .. text
end

function checks.at_least(values, least)
  local text = ("at least %s, got %s"):format(show.value(least), show.value(values[1]))
  return number(values[1], "at_least") >= least, "expected " .. text, "expected not " .. text
end

function checks.at_most(values, most)
  local text = ("at most %s, got %s"):format(show.value(most), show.value(values[1]))
  return number(values[1], "at_most") <= most, "expected " .. text, "expected not " .. text
end

function checks.is_truthy(values)
  local text = show.value(values[1])
  if not values[1] and values.n > 1 then -- nil, err, detail
    for i = 2, values.n do text = text .. ", " .. show.value(values[i]) end
  end
  if values[1] then return true, "expected nil or false, got " .. text end
  return false, "expected a true value, got " .. text
end

function checks.is_a(values, kind)
  local got = values[1]
  local holds = type(got) == kind or math.type(got) == kind or io.type(got) == kind
  local text = ("%s, got %s"):format(kind, show.value(got))
  if holds then return true, "expected no " .. text end
  return false, "expected a value of type " .. text
end

--- The string matches a Lua pattern.
function checks.matches(values, pattern)
  local got = values[1]
  local holds = type(got) == "string" and got:find(pattern) ~= nil
  local text = ("the pattern %s, got %s"):format(show.value(pattern), show.value(got))
  return holds, "expected a match of " .. text, "expected no match of " .. text
end

--- The string has this part, or the list this item.
function checks.contains(values, part)
  local got, holds = values[1], false
  if type(got) == "string" then
    holds = got:find(part, 1, true) ~= nil
  elseif type(got) == "table" then
    for i = 1, #got do holds = holds or same(part, got[i], {}) end
  else
    fail("expected a string or a list for 'contains', got " .. show.value(got))
  end
  local text = ("%s in %s"):format(show.value(part), show.value(got))
  return holds, "expected " .. text, "expected no " .. text
end

local Expectation = { __name = "expectation" }

--- Carries out a check: raises its text, or returns the values that were given to expect.
local function carry_out(self, check, ...)
  local holds, text, opposite = check(self.values, ...)
  if holds == self.negated then fail(holds and opposite or text) end
  return table.unpack(self.values, 1, self.values.n)
end

local methods = setmetatable({}, {
  __index = function(_, name) error(("expect(…) has no check '%s'"):format(tostring(name)), 2) end,
})
Expectation.__index = methods
for name, check in pairs(checks) do
  methods[name] = function(self, ...) return carry_out(self, check, ...) end
end

local function describe_error(e) return type(e) == "string" and show.text(e) or show.value(e) end

--- fn(…) raises: anything, a text that has `part` in it, or an error deeply equal to it.
--- Returns the error.
function methods:raises(part)
  local values = self.values
  local results = table.pack(pcall(table.unpack(values, 1, values.n)))
  local raised, e = not results[1], results[2]
  local meets = raised
  if raised and part ~= nil then
    local text = type(part) == "string" and type(e) ~= "string" and tostring(e) or e
    if type(part) == "string" and type(text) == "string" then
      meets = text:find(part, 1, true) ~= nil
    else
      meets = same(part, e, {})
    end
  end
  if meets ~= self.negated then return e end
  if self.negated then fail("expected no such error, got " .. describe_error(e)) end
  if raised then
    fail(("expected the error %s\n          but got %s"):format(
      describe_error(part), describe_error(e)))
  end
  local returned = {}
  for i = 2, results.n do returned[#returned + 1] = show.value(results[i]) end
  local shown = #returned > 0 and table.concat(returned, ", ") or "nothing"
  fail("expected an error, but it returned " .. shown)
end

--- expect(value, …):check(…); expect(…).never:check(…) is the opposite.
local function expect(...)
  if select("#", ...) == 0 then error("bad argument #1 to 'expect' (value expected)", 2) end
  local values = table.pack(...)
  local expectation = setmetatable({ values = values, negated = false }, Expectation)
  expectation.never = setmetatable(
    { values = values, negated = true, never = expectation }, Expectation)
  return expectation
end

return { expect = expect, Failure = Failure, trim = trim, fail = fail }
