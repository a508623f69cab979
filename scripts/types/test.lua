---@meta reactor.test

--- Tests, each a task of its own, which `luareact test` collects and runs.
---@class reactor.test
local test = {}

---@class reactor.TestOptions What holds for a test, or for all tests of a group.
---@field timeout? number Seconds that a test may take.
---@field leaks? boolean Whether it may leave tasks, handles and descriptors open.
---@field skip? string Why it is not run.

---@class reactor.TestEvent
---@field kind "plan"|"begin"|"end"
---@field name string Groups and test, with " > " between them.
---@field status? "passed"|"failed"|"skipped"
---@field seconds? number
---@field text? string What went wrong, or why it was skipped.
---@field limit? number
---@field selected? integer
---@field defined? integer

---@class reactor.TestRunOptions
---@field filter? string Runs the tests with this text in their name.
---@field timeout? number Seconds that a test may take which says nothing else (30).
---@field path? string Stands before the names when they are filtered.
---@field report? fun(event: reactor.TestEvent)

---@class reactor.TestResults
---@field passed integer
---@field failed integer
---@field skipped integer
---@field tests reactor.TestEvent[]

--- Groups the tests that fn defines.
---@overload fun(name: string, fn: fun())
---@param name string
---@param options reactor.TestOptions
---@param fn fun()
function test.describe(name, options, fn) end

--- Defines a test.
---@overload fun(name: string, fn: fun())
---@param name string
---@param options reactor.TestOptions
---@param fn fun() May wait. Fails by raising.
function test.it(name, options, fn) end

--- Runs fn once before the tests of the group.
---@param fn fun()
function test.before(fn) end

--- Runs fn once after the tests of the group.
---@param fn fun()
function test.after(fn) end

--- Runs fn before each test of the group, in the task of the test.
---@param fn fun()
function test.before_each(fn) end

--- Runs fn after each test of the group, also after one that failed.
---@param fn fun()
function test.after_each(fn) end

--- Begins an expectation about values: test.expect(value):equals(other).
---@param ... any
---@return reactor.Expectation
function test.expect(...) end

--- Ends the running test, which counts as skipped.
---@param reason string
function test.skip(reason) end

--- Takes what the host has reported during this test, which then does not make it fail.
---@return string[]
function test.reports() end

--- Runs the tests that body defines.
---@param body fun()
---@param options? reactor.TestRunOptions
---@return reactor.TestResults
function test.run(body, options) end

--- Each check raises when it does not hold, and returns the values when it does.
---@class reactor.Expectation
---@field never reactor.Expectation The opposite of each check.
local Expectation = {}

--- The first values are deeply equal to these.
---@param ... any
---@return any ...
function Expectation:equals(...) end

--- The value is this very one.
---@param value any
---@return any ...
function Expectation:is(value) end

--- The number is at most `tolerance` away.
---@param number number
---@param tolerance number
---@return any ...
function Expectation:near(number, tolerance) end

--- The number is `least` or more.
---@param least number
---@return any ...
function Expectation:at_least(least) end

--- The number is `most` or less.
---@param most number
---@return any ...
function Expectation:at_most(most) end

--- The value is neither nil nor false.
---@return any ...
function Expectation:is_truthy() end

--- The value has this type, as type(), math.type() or io.type() name it.
---@param kind string
---@return any ...
function Expectation:is_a(kind) end

--- The string matches a Lua pattern.
---@param pattern string
---@return any ...
function Expectation:matches(pattern) end

--- The string has this part, or the list this item.
---@param part any
---@return any ...
function Expectation:contains(part) end

--- The function raises when it is called with the other values: an error that has this text in
--- it, or is deeply equal to it; nil: any. Returns the error.
---@param part? any
---@return any error
function Expectation:raises(part) end

return test
