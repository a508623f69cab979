-- print and io.write, with values that have a __tostring.
local object = setmetatable({}, { __tostring = function() return ("o"):rep(200) end })
for i = 1, 5 do print(i, i + 0.5, "text", nil, true, object) end
io.write("a", 1, 2.5, "\n")
io.stdout:write("b\n"):flush()
require("app").done()
