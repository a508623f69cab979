---@meta reactor.task

--- Tasks: coroutines that the host resumes.
---@class reactor.task
---@field Cancelled table what calls of a cancelled task raise
local task = {}

---@class reactor.SpawnOptions
---@field detached? boolean on its own: nobody's child
---@field on_error? fun(err: any) gets its failure

--- A task that was spawned.
---@class reactor.Task
local Task = {}

--- Starts a task that runs fn(...), a child of the task that calls.
---@param fn function anything that can be called
---@param ... any
---@return reactor.Task
---@overload fun(options: reactor.SpawnOptions, fn: function, ...: any): reactor.Task
function task.spawn(fn, ...) end

--- The running task; nil outside of tasks.
---@return reactor.Task?
---@nodiscard
function task.self() end

--- Runs fn(...) and waits for it and for every task that it spawned. The first error cancels the
--- rest, and is raised here.
---@param fn function
---@param ... any
---@return any ...
function task.scope(fn, ...) end

--- Runs fn(...) for at most `seconds`; then it is cancelled, and after its cleanup this returns
--- nil, "timeout".
---@param seconds? number nil: no limit
---@param fn function
---@param ... any
---@return any ...
function task.timeout(seconds, fn, ...) end

--- Runs fn(...) for at most `seconds` while cancels of the running task wait for its end.
---@param seconds? number
---@param fn function
---@param ... any
---@return any ...
function task.shield(seconds, fn, ...) end

--- Lets the others run, and raises when the task was cancelled.
function task.checkpoint() end

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

--- Waits for the end of the task: true and its results, or false and its error.
---@return boolean ok
---@return any ...
function Task:result() end

--- Makes every call of the task that may wait raise, and of its children.
---@return boolean # false when it had ended
function Task:cancel() end

---@return "running"|"waiting"|"ready"|"ended"
---@nodiscard
function Task:status() end

return task
