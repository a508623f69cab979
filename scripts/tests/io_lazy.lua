-- The rest of io comes at its first use, and nobody can tell.
assert(rawget(io, "lines") == nil or not _VERSION:find("5.4"))
local names = {}
for name in pairs(io) do names[#names + 1] = name end
table.sort(names)
assert(table.concat(names, " ") ==
  "close flush input lines open output popen read stderr stdin stdout tmpfile type write")
assert(io.nothing == nil and io.stdout.nothing == nil)
