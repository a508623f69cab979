---@meta reactor.time

--- The clocks and the sleep. Seconds are numbers with a fraction.
---@class reactor.time
local time = {}

--- Waits at least so many seconds; zero or less lets the tasks that are ready run.
---@param seconds number
---@return true
function time.sleep(seconds) end

--- Seconds of a clock that never runs backwards (CLOCK_MONOTONIC).
---@return number
---@nodiscard
function time.mono() end

--- Seconds since 1970-01-01 00:00 UTC (CLOCK_REALTIME).
---@return number
---@nodiscard
function time.now() end

--- Seconds of processor time that the process has used.
---@return number
---@nodiscard
function time.processor() end

return time
