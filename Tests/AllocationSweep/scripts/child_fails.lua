-- A child that fails while its parent waits elsewhere: the error is never lost.
local task, time = require "reactor.task", require "reactor.time"
local app = require "app"
task.spawn(function()
  task.spawn(function() task.yield() app.done() error("not enough memory", 0) end)
  time.sleep(60)
end)
time.sleep(60)
