-- The part of io that is loaded at its first use: (native, stock io, methods of files, defaults).
-- `defaults` holds the default input and output, which io.read and io.write look up there.
local _, _, misuse, check = ...

return function(native, stock, methods, defaults)
  local open, file_type, stock_type = native.open, native.file_type, stock.type
  local unpack = table.unpack

  function io.type(...)
    if select("#", ...) == 0 then misuse "bad argument #1 to 'type' (value expected)" end
    return file_type(...) or stock_type(...)
  end

  local function check_file(value, name)
    if io.type(value) then return value end
    local text = "bad argument #1 to '%s' (FILE* expected, got %s)"
    misuse(text:format(name, value == nil and "no value" or type(value)))
  end

  local function check_open(file, what)
    if io.type(file) == "closed file" then misuse(("default %s file is closed"):format(what)) end
    return file
  end

  --- Opens a file whose absence is an error.
  local function must_open(name, mode, what)
    if type(name) ~= "number" then check(what, 1, name, "string") end
    local file, why = open(name, mode)
    if file then return file end
    why = why:sub(#tostring(name) + 3)
    misuse(("cannot open file '%s' (%s)"):format(name, why))
  end

  --- The function that reads one item after the other, and closes the file at its end if told to.
  local function reader(file, closes, ...)
    local formats = select("#", ...) > 0 and { n = select("#", ...), ... }
    local read, is_closed = file.read, false

    local function finish(_, why)
      if why then misuse(why) end
      is_closed = closes
      if closes then file:close() end
    end

    local function go_on(first, ...)
      if first then return first, ... end
      return finish(first, ...)
    end

    return function()
      if is_closed then misuse "file is already closed" end
      if formats then return go_on(read(file, unpack(formats, 1, formats.n))) end
      local line, why = read(file, "l")
      if line then return line end
      return finish(line, why)
    end
  end

  function methods.lines(file, ...)
    check_file(file, "lines")
    if io.type(file) == "closed file" then misuse "attempt to use a closed file" end
    return reader(file, false, ...)
  end

  function io.lines(name, ...)
    if name == nil then return reader(check_open(defaults[1], "input"), false, ...) end
    local file = must_open(name, "r", "lines")
    return reader(file, true, ...), nil, nil, file
  end

  function io.input(file)
    if file ~= nil then
      local is_name = type(file) == "string" or type(file) == "number"
      defaults[1] = is_name and must_open(file, "r", "input") or check_file(file, "input")
    end
    return defaults[1]
  end

  function io.output(file)
    if file ~= nil then
      local is_name = type(file) == "string" or type(file) == "number"
      defaults[2] = is_name and must_open(file, "w", "output") or check_file(file, "output")
    end
    return defaults[2]
  end

  function io.close(file)
    if file == nil then file = check_open(defaults[2], "output") end
    return check_file(file, "close"):close()
  end

  function io.flush()
    return check_open(defaults[2], "output"):flush()
  end

  io.tmpfile = native.temporary_file

  --- The stock one: reading from and writing to the command block every task, and the command
  --- writes past our buffer. `reactor.process` does neither.
  function io.popen(...)
    io.stdout:flush()
    return stock.popen(...)
  end
end
