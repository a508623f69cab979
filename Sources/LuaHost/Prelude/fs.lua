-- require "reactor.fs": files, without holding up the other tasks while the disk works.
local _, native = ...
local fs = {}
local File = native.file_methods
local open_start, path_start = native.open_start, native.path_start
local start = {} -- the methods that begin jobs, which scripts do not see
for _, verb in ipairs { "read", "write", "sync", "truncate", "size" } do
  start[verb], File[verb .. "_start"] = File[verb .. "_start"], nil
end

local PART = 1 << 20 -- bytes read at once by what reads everything

-- Flags of open(2) on Linux.
local READ, WRITE, BOTH, CREATE, EXCLUSIVE, TRUNCATE, APPEND = 0, 1, 2, 64, 128, 512, 1024
local modes = {
  ["r"] = READ,
  ["r+"] = BOTH,
  ["w"] = WRITE | CREATE | TRUNCATE,
  ["w+"] = BOTH | CREATE | TRUNCATE,
  ["a"] = WRITE | CREATE | APPEND,
  ["a+"] = BOTH | CREATE | APPEND,
  ["wx"] = WRITE | CREATE | EXCLUSIVE,
  ["w+x"] = BOTH | CREATE | EXCLUSIVE,
}

--- Waits for the answer of a job that was begun.
local function finish(job, err, name)
  if not job then return nil, err, name end
  local under_way <close> = job
  return job:finish()
end

local function expect(value, kind, index, name)
  if type(value) ~= kind then
    local text = "bad argument #%d to '%s' (%s expected, got %s)"
    error(text:format(index, name, kind, type(value)), 3)
  end
end

local function known_options(options, known, index, name)
  if options == nil then return {} end
  expect(options, "table", index, name)
  for key in pairs(options) do
    if not known[key] then error(("unknown option '%s' to '%s'"):format(tostring(key), name), 3) end
  end
  return options
end

--- Opens a file; the modes are those of io.open, and "wx" and "w+x", which refuse one that exists.
function fs.open(path, mode)
  expect(path, "string", 1, "open")
  local flags = modes[mode or "r"]
  if not flags then
    error(("bad argument #2 to 'open' (unknown mode '%s')"):format(tostring(mode)), 2)
  end
  return finish(open_start(path, flags, 0x1b6)) -- rw-rw-rw-, less what umask takes
end

--- At most n bytes, from the file's position or from an offset.
function File:read(n, offset)
  if n == nil then n = 65536 end
  local bytes, err, name = finish(start.read(self, n, offset))
  if bytes == "" and n > 0 then return nil, "eof" end
  return bytes, err, name
end

--- Everything from the file's position on.
function File:readall(limit)
  local parts, size = {}, 0
  while true do
    local bytes, err, name = finish(start.read(self, PART))
    if not bytes then return nil, err, name end
    if bytes == "" then return table.concat(parts) end
    parts[#parts + 1], size = bytes, size + #bytes
    if limit and size > limit then return nil, "too long" end
  end
end

--- Writes all bytes, at the file's position or at an offset.
function File:write(bytes, offset)
  local total = 0
  repeat
    local n, err, name = finish(start.write(self, bytes, offset))
    if not n then return nil, err, name end
    total = total + n
    if n < #bytes then
      bytes = bytes:sub(n + 1)
      offset = offset and offset + n
    else
      bytes = ""
    end
  until bytes == ""
  return total
end

--- Makes what was written safe from a loss of power.
function File:sync()
  local ok, err, name = finish(start.sync(self))
  return ok and true, err, name
end

--- Cuts the file off, or extends it with zeros.
function File:truncate(length)
  local ok, err, name = finish(start.truncate(self, length))
  return ok and true, err, name
end

--- The length of the file in bytes.
function File:size() return finish(start.size(self)) end

local function on_path(verb)
  return function(path)
    expect(path, "string", 1, verb)
    local ok, err, name = finish(path_start(verb, path))
    return ok and true, err, name
  end
end

--- What a path leads to: a table with type, size, modified, permissions, inode and links.
function fs.stat(path)
  expect(path, "string", 1, "stat")
  return finish(path_start("stat", path))
end

--- The names in a directory, in order.
function fs.list(path)
  expect(path, "string", 1, "list")
  local names, err, name = finish(path_start("list", path))
  if not names then return nil, err, name end
  table.sort(names)
  return names
end

fs.remove = on_path "remove"
fs.rmdir = on_path "rmdir"
fs.sync = on_path "sync"

--- Gives a file another name, in place of what had it.
function fs.rename(from, to)
  expect(from, "string", 1, "rename")
  expect(to, "string", 2, "rename")
  local ok, err, name = finish(path_start("rename", from, to))
  return ok and true, err, name
end

--- Makes a directory, and those above it with { parents = true }.
function fs.mkdir(path, options)
  expect(path, "string", 1, "mkdir")
  options = known_options(options, { parents = true }, 2, "mkdir")
  local ok, err, name = finish(path_start("mkdir", path))
  if ok or not options.parents then return ok and true, err, name end
  if name == "EEXIST" then
    local there = fs.stat(path)
    if there and there.type == "directory" then return true end
  end
  local above = path:match "^(.+)/+[^/]+/*$"
  if name ~= "ENOENT" or not above then return nil, err, name end
  ok, err, name = fs.mkdir(above, options)
  if not ok then return nil, err, name end
  ok, err, name = finish(path_start("mkdir", path))
  if name == "EEXIST" then return true end -- somebody else was faster
  return ok and true, err, name
end

--- The content of a whole file.
function fs.read(path, limit)
  expect(path, "string", 1, "read")
  local file <close>, err, name = fs.open(path)
  if not file then return nil, err, name end
  return file:readall(limit)
end

--- Makes `bytes` the content of a file: by way of a second one that takes its place when it is
--- safe on the disk, with { atomic = true }.
function fs.write(path, bytes, options)
  expect(path, "string", 1, "write")
  expect(bytes, "string", 2, "write")
  options = known_options(options, { atomic = true, sync = true }, 3, "write")
  local place = options.atomic and path .. ".new" or path
  local file <close>, err, name = fs.open(place, "w")
  if not file then return nil, err, name end
  local ok
  ok, err, name = file:write(bytes)
  if ok and (options.atomic or options.sync) then ok, err, name = file:sync() end
  if not ok or not options.atomic then return ok and #bytes, err, name end
  ok, err, name = fs.rename(place, path)
  if ok then ok, err, name = fs.sync(path:match "^(.*)/[^/]*$" or ".") end
  return ok and #bytes, err, name
end

return fs
