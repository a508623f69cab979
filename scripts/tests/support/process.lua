-- What a test can learn about its own process. Source: proc(5).
local process = {}

--- How many descriptors below `limit` are open.
function process.descriptors(limit)
  local count = 0
  for number = 0, (limit or 1024) - 1 do
    local info = io.open("/proc/self/fdinfo/" .. number)
    if info then
      info:close()
      count = count + 1
    end
  end
  return count
end

--- Resident memory, in bytes.
function process.resident()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmRSS:%s*(%d+) kB"
    if kilobytes then return tonumber(kilobytes) * 1024 end
  end
end

--- Starts this program again with a script, in the background.
function process.start(script, ...)
  assert(os.execute(("/proc/$PPID/exe %s %s &"):format(script, table.concat({ ... }, " "))))
end

return process
