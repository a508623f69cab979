-- Runs shell commands while the tasks of a test go on: their output comes through a FIFO.
local shell = {}

--- Starts a command and returns a function that waits for its end: status, output.
function shell.start(command)
  local name = os.tmpname()
  assert(os.remove(name))
  assert(os.execute("mkfifo -m 600 " .. name))
  local output <const> = assert(io.open(name, "r+"))
  local line = "exec 3>%s; rm %s; { { %s\n} 2>&1; printf '\\nexit %%d\\n' $?; } >&3 &"
  assert(os.execute(line:format(name, name, command)))
  return function()
    local lines = {}
    while true do
      local line = assert(output:read "L")
      local status = line:match "^exit (%d+)\n$"
      if status then
        output:close()
        return tonumber(status), table.concat(lines):sub(1, -2)
      end
      lines[#lines + 1] = line
    end
  end
end

--- Runs a command, and returns what it printed; its status must be 0.
function shell.run(command)
  local status, output = shell.start(command)()
  if status ~= 0 then error(("%s: exit %d\n%s"):format(command, status, output), 2) end
  return output
end

return shell
