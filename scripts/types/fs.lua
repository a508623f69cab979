---@meta reactor.fs

--- Files, without holding up the other tasks while the disk works.
---@class reactor.fs
local fs = {}

---@alias reactor.FileMode "r"|"r+"|"w"|"w+"|"a"|"a+"|"wx"|"w+x"

---@class reactor.FileStatus
---@field type "file"|"directory"|"pipe"|"socket"|"character device"|"block device"|"other"
---@field size integer bytes
---@field modified number seconds since 1970
---@field permissions integer the lower twelve bits of st_mode
---@field inode integer
---@field links integer

--- An open file.
---@class reactor.File
local File = {}

--- Opens a file.
---@param path string
---@param mode? reactor.FileMode "r" if absent
---@return reactor.File?
---@return string? err
---@return string? errno
function fs.open(path, mode) end

--- The content of a whole file.
---@param path string
---@param limit? integer bytes
---@return string?
---@return string? err
---@return string? errno
function fs.read(path, limit) end

--- Makes bytes the content of a file.
---@param path string
---@param bytes string
---@param options? { atomic?: boolean, sync?: boolean }
---@return integer? written
---@return string? err
---@return string? errno
function fs.write(path, bytes, options) end

--- What a path leads to.
---@param path string
---@return reactor.FileStatus?
---@return string? err
---@return string? errno
function fs.stat(path) end

--- The names in a directory, in order.
---@param path string
---@return string[]?
---@return string? err
---@return string? errno
function fs.list(path) end

--- Gives a file another name, in place of what had it.
---@param from string
---@param to string
---@return true?
---@return string? err
---@return string? errno
function fs.rename(from, to) end

--- Removes a file.
---@param path string
---@return true?
---@return string? err
---@return string? errno
function fs.remove(path) end

--- Makes a directory.
---@param path string
---@param options? { parents?: boolean }
---@return true?
---@return string? err
---@return string? errno
function fs.mkdir(path, options) end

--- Removes an empty directory.
---@param path string
---@return true?
---@return string? err
---@return string? errno
function fs.rmdir(path) end

--- Makes a file, or the names in a directory, safe from a loss of power.
---@param path string
---@return true?
---@return string? err
---@return string? errno
function fs.sync(path) end

--- At most n bytes, from the position or from an offset.
---@param n? integer 0 to 16777216; 65536 if absent
---@param offset? integer bytes
---@return string?
---@return string? err "eof" at the end
---@return string? errno
function File:read(n, offset) end

--- Everything from the position on.
---@param limit? integer bytes
---@return string?
---@return string? err
---@return string? errno
function File:readall(limit) end

--- Writes all bytes, at the position or at an offset.
---@param bytes string
---@param offset? integer bytes
---@return integer? written
---@return string? err
---@return string? errno
function File:write(bytes, offset) end

--- Makes what was written safe from a loss of power.
---@return true?
---@return string? err
---@return string? errno
function File:sync() end

--- Cuts the file off, or extends it with zeros.
---@param length integer bytes
---@return true?
---@return string? err
---@return string? errno
function File:truncate(length) end

--- The length of the file in bytes.
---@return integer?
---@return string? err
---@return string? errno
function File:size() end

--- The offset of the next read or write that names none; sets it where one is given.
---@param offset? integer bytes
---@return integer?
---@return "closed"? err
function File:position(offset) end

---@return integer?
---@return "closed"? err
---@nodiscard
function File:fd() end

---@return boolean # false when it was closed before
function File:close() end

return fs
