-- reactor.test: what it calls passed and failed, what its texts say, and that it sees leaks.
local test = require "reactor.test"
local net, sys, task = require "reactor.net", require "reactor.sys", require "reactor.task"
local time = require "reactor.time"
local describe, it, expect = test.describe, test.it, test.expect

--- Runs one test with this body, and returns its status and text.
local function outcome(body, options)
  local results = test.run(function() it("inner", options or {}, body) end)
  local last = results.tests[#results.tests]
  return last.status, last.text, results
end

--- The text with which an expectation fails.
local function failure(check)
  local ok, e = pcall(check)
  assert(not ok, "the expectation holds")
  return (tostring(e):gsub("^[^\n]-:%d+: ", ""))
end

describe("an expectation", function()
  it("compares deeply, whatever the order of keys", function()
    expect({ 1, { a = "x", b = { 2 } } }):equals { 1, { b = { 2 }, a = "x" } }
    expect({ 1 }).never:equals { 1, 2 }
    expect({ a = 1 }).never:equals { a = 1, b = false }
    expect(0 / 0):equals(0 / 0)
    expect(1):equals(1.0)
    local one, other = {}, {}
    one.self, other.self = one, other
    expect(one):equals(other)
    expect(one).never:is(other)
  end)

  it("compares as many values as it is given", function()
    expect(nil, "eof"):equals(nil, "eof")
    expect(nil, "eof", "more"):equals(nil)
    expect(failure(function() expect(nil, "eof"):equals(nil, "timeout") end)):equals
      'value 2: expected "timeout", got "eof"'
  end)

  it("returns its values", function()
    expect(select("#", expect(1, nil, nil):equals(1))):equals(3)
    expect(expect(error, "boom"):raises()):equals "boom"
  end)

  it("shows both values, with what differs marked", function()
    expect(failure(function() expect(3):equals(4) end)):equals "expected 4, got 3"
    expect(failure(function() expect("\1\xFF"):equals "b" end)):contains [["\x01\xFF"]]
    expect(failure(function() expect({ 1, 2 }):equals { 1, 3 } end)):equals
      "expected (-) and got (+) differ:\n  {\n    1,\n-   3,\n+   2,\n  }"
    local text = failure(function() expect("one\ntwo\nthree"):equals "one\n2\nthree" end)
    expect(text):equals "expected (-) and got (+) differ:\n  one\n- 2\n+ two\n  three"
  end)

  it("checks errors by a part of their text or by value", function()
    expect(error, "boom: (-)"):raises "boom: (-"
    expect(error, { code = 5 }):raises { code = 5 }
    expect(function() end).never:raises()
    expect(failure(function() expect(error, "boom"):raises "bang" end)):contains [["boom"]]
    expect(failure(function() expect(function() return 1 end):raises() end)):equals
      "expected an error, but it returned 1"
  end)

  it("has checks for numbers, texts, lists and types", function()
    expect(0.1 + 0.2):near(0.3, 1e-9)
    expect(3):at_least(3)
    expect(3):at_most(3)
    expect(3).never:at_most(2)
    expect("a line"):matches "^a %w+$"
    expect("a.line"):contains "."
    expect({ 1, { 2 } }):contains { 2 }
    expect({}).never:contains(1)
    expect(1):is_a "integer"
    expect(io.stdout):is_a "file"
    expect(false).never:is_truthy()
    expect(failure(function() expect(nil, "refused"):is_truthy() end)):equals
      'expected a true value, got nil, "refused"'
  end)

  it("names a check that does not exist, and a missing value", function()
    expect(function() expect(1):equal(1) end):raises "has no check 'equal'"
    expect(function() expect() end):raises "value expected"
  end)
end)

describe("a test", function()
  it("passes when it returns, and fails when it raises", function()
    expect(outcome(function() end)):equals "passed"
    local status, text = outcome(function() error("boom", 0) end)
    expect(status):equals "failed"
    expect(text):matches "^boom\nstack traceback:\n\tscripts/tests/test.lua:%d+: in "
    expect(select(2, outcome(function() error { code = 5 } end))):contains "is { code = 5 }"
  end)

  it("says where, and which of the script's lines led there", function()
    local function deep() expect(1):equals(2) end
    local function around() deep() return 1 end
    local _, text = outcome(around)
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
    expect(lines[1]):matches "test%.lua:%d+: expected 2, got 1$"
    expect(#lines):equals(4) -- two frames under their title
    expect(lines[4]):contains "test.lua"
  end)

  it("waits for the tasks that it spawned, and fails with them", function()
    local ended = false
    expect(outcome(function()
      task.spawn(function() time.sleep(0.01) ended = true end)
    end)):equals "passed"
    expect(ended):equals(true)
    local status, text = outcome(function()
      task.spawn(function() expect(1):equals(2) end)
      time.sleep(10)
    end)
    expect(status):equals "failed"
    expect(text):contains "expected 2, got 1"
  end)

  it("fails when its time is over, and says where it waits", function()
    local closed = false
    local status, text = outcome(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      task.spawn(function() time.sleep(100) end)
      time.sleep(100)
    end, { timeout = 0.02 })
    expect(status, text:match "^[^\n]*"):equals("failed", "did not end within 0.02 s:")
    expect(select(2, text:gsub("scripts/tests/test%.lua:%d+: in", ""))):at_least(2)
    expect(closed):equals(true)
  end)

  it("may be skipped, by itself or by its options", function()
    expect(outcome(function() test.skip "no privilege" end)):equals("skipped", "no privilege")
    expect(outcome(function() error "runs" end, { skip = "later" })):equals("skipped", "later")
  end)

  it("fails when the host reports a mistake, unless it takes the report", function()
    local function detached()
      task.spawn({ detached = true }, error, "lost", 0)
      time.sleep(0)
    end
    local status, text = outcome(detached)
    expect(status):equals "failed"
    expect(text):contains "lost"
    expect(outcome(function()
      detached()
      expect(test.reports()[1]):contains "lost"
    end)):equals "passed"
  end)
end)

describe("a leak", function()
  local kept = {}
  test.after(function()
    for _, close in ipairs(kept) do close() end
    kept = {}
  end)

  --- The text for a test that leaves open what `make` returns, with the function that closes it.
  local function leak(make)
    local status, text = outcome(function() kept[#kept + 1] = make() end)
    expect(status):equals "failed"
    expect(text):matches "^left open:\n"
    expect(text):contains "scripts/tests/test.lua:"
    -- What is known already is no leak of the tests that come after it.
    expect(outcome(function() end)):equals "passed"
    return text
  end

  it("of a handle names it, and the line that made it", { leaks = true }, function()
    local text = leak(function()
      local listener = net.listen "127.0.0.1:0"
      return function() listener:close() end
    end)
    expect(text):contains "listener (fd"
  end)

  it("of a raw descriptor is seen", { leaks = true }, function()
    local text = leak(function()
      local out, into = sys.pipe()
      return function() sys.close(out) sys.close(into) end
    end)
    expect(text):contains "descriptor "
    expect(outcome(function()
      for _, fd in ipairs { sys.socketpair() } do sys.close(fd) end
    end)):equals "passed"
  end)

  it("of a file counts while somebody holds it", { leaks = true }, function()
    leak(function()
      local file = io.open "scripts/tests/test.lua"
      return function() file:close() end
    end)
    expect(outcome(function() io.open "scripts/tests/test.lua" end)):equals "passed"
  end)

  it("of a detached task names where it was spawned, and ends it", function()
    local ended = false
    local status, text = outcome(function()
      task.spawn({ detached = true }, function()
        local _ <close> = setmetatable({}, { __close = function() ended = true end })
        time.sleep(100)
      end)
      time.sleep(0)
    end)
    expect(status, ended):equals("failed", true)
    expect(text):contains "a task that was spawned at scripts/tests/test.lua:"
  end)

  it("of a handle that is collected is seen, too", function()
    local status, text = outcome(function()
      net.listen "127.0.0.1:0"
      collectgarbage()
      time.sleep(0)
    end)
    expect(status):equals "failed"
    expect(text):contains "was collected unclosed"
  end)

  it("is allowed where the options say so", { leaks = true }, function()
    expect(outcome(function()
      local listener = net.listen "127.0.0.1:0"
      kept[#kept + 1] = function() listener:close() end
    end, { leaks = true })):equals "passed"
  end)
end)

describe("a group", function()
  it("runs its hooks around its tests, outer ones outside", function()
    local log = {}
    local function note(text) return function() log[#log + 1] = text end end
    local results = test.run(function()
      test.before_each(note "outer each")
      describe("inner", function()
        test.before(note "before")
        test.after(note "after")
        test.before_each(note "each")
        test.after_each(note "after each")
        it("one", note "one")
        it("two", function() log[#log + 1] = "two" error "fails" end)
      end)
    end)
    expect(log):equals { "before", "outer each", "each", "one", "after each", "outer each", "each",
      "two", "after each", "after" }
    expect(results.passed, results.failed):equals(1, 1)
  end)

  it("fails all its tests when a hook before them fails", function()
    local results = test.run(function()
      describe("inner", function()
        test.before(function() error("no database", 0) end)
        it("one", function() end)
      end)
    end)
    expect(results.tests[1].text):contains "a hook before it failed: no database"
  end)

  it("names its tests, and a filter takes those with a text in it", function()
    local function define()
      describe("a", function() it("b", function() end) end)
      it("c", function() end)
    end
    local names = {}
    for i, one in ipairs(test.run(define).tests) do names[i] = one.name end
    expect(names):equals { "a > b", "c" }
    expect(test.run(define, { filter = "a >" }).passed):equals(1)
    expect(test.run(define, { filter = "x", path = "file" }).passed):equals(0)
    expect(test.run(define, { filter = "file > c", path = "file" }).passed):equals(1)
  end)

  it("may be a table of functions", function()
    local t = {}
    function t.test_second() end
    function t.test_also() error "fails" end
    function t.helper() error "is no test" end
    local results = test.run(function() return t end)
    expect(results.tests[1].name, results.tests[2].name):equals("test_second", "test_also")
    expect(results.passed, results.failed):equals(1, 1)
  end)

  it("is named by misuse, at the line that is wrong", function()
    local function misuse(...)
      local args = table.pack(...)
      local _, e = pcall(test.run, function() args[1](table.unpack(args, 2, args.n)) end)
      return e
    end
    expect(misuse(it, 1, function() end)):contains "bad argument #1 to 'it'"
    expect(misuse(it, "x", 1)):contains "bad argument #2 to 'it'"
    expect(misuse(it, "x", {}, {})):contains "bad argument #3 to 'it'"
    expect(misuse(describe, "x", { slow = true }, print)):contains "unknown option 'slow'"
    expect(misuse(it, "x", { timeout = "1" }, print)):contains "bad option 'timeout'"
    expect(misuse(test.before, 1)):contains "bad argument #1 to 'before'"
    expect(function() it("x", print) end):raises "outside of a test file"
  end)
end)

test("a test may be defined by calling the module", function() expect(true):equals(true) end)
