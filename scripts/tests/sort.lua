-- table.sort: stable, and the same comparisons in every run on the same values.
local function sorted(t, f)
  table.sort(t, f)
  return t
end

local function same(a, b)
  assert(#a == #b)
  for i = 1, #a do assert(a[i] == b[i], i) end
end

same(sorted {}, {})
same(sorted { 1 }, { 1 })
same(sorted { 2, 1 }, { 1, 2 })
same(sorted { "b", "a", "c" }, { "a", "b", "c" })
same(sorted({ 1, 2, 3 }, function(a, b) return a > b end), { 3, 2, 1 })

-- Every permutation of a few, and random ones of many: sorted, and stable.
for n = 1, 7 do
  local t = {}
  local function permute(k)
    if k > n then
      local copy = sorted { table.unpack(t) }
      for i = 1, n do assert(copy[i] == i) end
    end
    for v = 1, n do
      local used = false
      for i = 1, k - 1 do used = used or t[i] == v end
      if not used and k <= n then
        t[k] = v
        permute(k + 1)
        t[k] = nil
      end
    end
  end
  permute(1)
end

for _, n in ipairs { 10, 100, 1000, 4097 } do
  local t, calls = {}, 0
  for i = 1, n do t[i] = { key = math.random(n // 4), place = i } end
  table.sort(t, function(a, b)
    calls = calls + 1
    return a.key < b.key
  end)
  for i = 2, n do
    local a, b = t[i - 1], t[i]
    assert(a.key < b.key or a.key == b.key and a.place < b.place, "not stable")
  end
  assert(calls <= n * math.ceil(math.log(n, 2)), calls)
end

-- An input that is bad for pivots: stock Lua asks the clock for others, and calls more or less.
local function calls(n)
  local t, count = {}, 0
  for i = 1, n do t[i] = i % 2 == 0 and i or n - i end
  table.sort(t, function(a, b)
    count = count + 1
    return a < b
  end)
  return count
end
assert(calls(20000) == calls(20000))

-- A comparator that raises leaves the table as it was; one that makes no sense loses nothing.
local t = { 5, 3, 4, 1, 2 }
local left = 4
local ok, why = pcall(table.sort, t, function(a, b)
  left = left - 1
  if left == 0 then error("enough", 0) end
  return a < b
end)
assert(not ok and why == "enough")
same(t, { 5, 3, 4, 1, 2 })

local many, sum = {}, 0
for i = 1, 1000 do many[i] = i end
table.sort(many, function() return true end)
for i = 1, 1000 do sum = sum + many[i] end
assert(sum == 500500)

-- Metamethods, as everywhere in `table`.
local stored = { 3, 1, 2 }
local proxy = setmetatable({}, {
  __len = function() return #stored end,
  __index = function(_, i) return stored[i] end,
  __newindex = function(_, i, v) stored[i] = v end,
})
table.sort(proxy)
same(stored, { 1, 2, 3 })

for _, case in ipairs {
  { "table expected, got no value" },
  { "table expected, got number", 5 },
  { "function expected, got number", { 1, 2 }, 5 },
  { "attempt to compare", { 1, {} } },
  { "array too big", setmetatable({}, { __len = function() return math.maxinteger end }) },
} do
  ok, why = pcall(table.sort, table.unpack(case, 2))
  assert(not ok and why:find(case[1], 1, true), why)
end
