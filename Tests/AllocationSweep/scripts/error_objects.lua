-- Error objects of many kinds pass through pcall, xpcall, coroutines and __close unchanged.
local object = {}
for _, e in ipairs { object, 12, true, "text" } do
  local ok, got = pcall(error, e, 0)
  assert(not ok and (got == e or got == "not enough memory"), "other error")
  ok, got = xpcall(error, function(m) return m end, e, 0)
  assert(not ok and (got == e or got == "not enough memory"), "other error")
  local co = coroutine.wrap(function() error(e, 0) end)
  ok, got = pcall(co)
  if type(e) ~= "string" then assert(got == e or got == "not enough memory", "other error") end
end
local ok, got = pcall(function()
  local _ <close> = setmetatable({}, { __close = function(_, e) error(e, 0) end })
  error(object)
end)
assert(not ok and (got == object or got == "not enough memory"), "other error")
require("app").done()
