-- load and its errors; a chunk that does not parse says so.
local f, e = load("return 1 + ...", "=chunk")
if not f then error(e, 0) end
assert(f(2) == 3)
f, e = load("return )", "=chunk")
assert(not f and (e:find("chunk:1:") or e == "not enough memory"), e)
local ok, source = pcall(string.rep, "local x = 1 ", 50)
if ok then f = load(source) end
require("app").done()
