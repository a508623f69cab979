---@meta reactor.task

--- Tasks: coroutines that the host resumes.
---@class reactor.task
---@field Cancelled table what calls of a cancelled task raise
local task = {}

--- A task that was spawned.
---@class reactor.Task
local Task = {}

--- Starts a task that runs fn(...), a child of the task that calls.
---@param fn function anything that can be called
---@param ... any
---@return reactor.Task
function task.spawn(fn, ...) end

--- Lets every task that is ready run, then goes on.
function task.yield() end

--- Whether an error is the one that a cancelled call raises.
---@param e any
---@return boolean
---@nodiscard
function task.is_cancelled(e) end

--- Waits for the end of the task and its children, and raises what it raised.
---@param timeout? number seconds
---@return any ... what its body returned; or nil, "timeout"
function Task:join(timeout) end

--- Makes every call of the task that may wait raise, and of its children.
---@return boolean # false when it had ended
function Task:cancel() end

---@return "running"|"waiting"|"ready"|"ended"
---@nodiscard
function Task:status() end

return task
