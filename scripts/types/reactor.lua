---@meta reactor

--- Registrations of descriptors, and the events that they report.
---@class reactor
---@field fs reactor.fs
---@field net reactor.net
---@field sys reactor.sys
---@field task reactor.task
---@field time reactor.time
local reactor = {}

--- What a wait for readiness has seen. A field is true where it holds.
---@class reactor.Event
---@field readable? boolean data, or the end of the peer's writing
---@field writable? boolean
---@field read_closed? boolean
---@field write_closed? boolean
---@field priority? boolean
---@field error? boolean

--- A registered descriptor.
---@class reactor.Registration
local Registration = {}

--- Registers a descriptor for letters of "rwpce" ("rw" if absent), and makes it non-blocking.
---@param fd integer
---@param interest? string
---@return reactor.Registration?
---@return string? err
---@return string? errno
function reactor.register(fd, interest) end

--- Counters since the program began.
---@return table<string, number>
---@nodiscard
function reactor.metrics() end

--- Waits for any of the letters.
---@param interest string
---@param timeout? number seconds
---@return reactor.Event?
---@return "timeout"|"closed"|nil err
---@return string? detail
function Registration:readiness(interest, timeout) end

---@param timeout? number seconds
---@return reactor.Event?
---@return "timeout"|"closed"|nil err
---@return string? detail
function Registration:readable(timeout) end

---@param timeout? number seconds
---@return reactor.Event?
---@return "timeout"|"closed"|nil err
---@return string? detail
function Registration:writable(timeout) end

--- The event for reading that there is now. Never waits.
---@return reactor.Event?
---@return "closed"? err
function Registration:poll_read_ready() end

--- The event for writing that there is now. Never waits.
---@return reactor.Event?
---@return "closed"? err
function Registration:poll_write_ready() end

--- Clears what the event saw, where nothing was reported since.
---@param event reactor.Event
---@return true?
---@return "closed"? err
function Registration:clear_readiness(event) end

--- Calls fn(...) when readable, again each time it returns nil, "again".
---@param fn function
---@param ... any
---@return any ... what fn returned last; or nil, "closed"
function Registration:read_io(fn, ...) end

--- Calls fn(...) when writable, again each time it returns nil, "again".
---@param fn function
---@param ... any
---@return any ... what fn returned last; or nil, "closed"
function Registration:write_io(fn, ...) end

--- Calls fn(...) once if the interest is ready; else returns nil, "again". Never waits.
---@param interest string
---@param fn function
---@param ... any
---@return any ...
function Registration:try_io(interest, fn, ...) end

--- Ends the registration; the descriptor stays open.
---@return boolean? # false when it had ended
---@return string? err
---@return string? errno
function Registration:deregister() end

---@return integer?
---@return "closed"? err
---@nodiscard
function Registration:fd() end

---@return string? # letters of "rwpce"
---@return "closed"? err
---@nodiscard
function Registration:interest() end

return reactor
