import LuaHost

/// The prompt of `-i`: a Lua program of its own, so that other tasks run while it waits for a line.
enum Prompt {
  static let chunk = Chunk(source, name: "=prompt")

  private static let source = #"""
    local function ask(prompt)
      io.write(prompt)
      io.flush()
      return io.read()
    end

    local function complain(message)
      io.flush()
      io.stderr:write(message, "\n")
    end

    -- An expression first, else a statement, for which more lines are asked while it is incomplete.
    local function compile(line)
      line = line:gsub("^=", "return ") -- as in Lua 5.2: "=x" shows x
      local chunk = load("return " .. line, "=stdin", "t")
      while not chunk do
        local message
        chunk, message = load(line, "=stdin", "t")
        if chunk then break end
        local more = message:sub(-5) == "<eof>" and ask(_PROMPT2 or ">> ")
        if not more then return nil, message end
        line = line .. "\n" .. more
      end
      return chunk
    end

    local function handler(message)
      local kind = type(message)
      if kind ~= "string" and kind ~= "number" then
        local meta = getmetatable(message)
        if type(meta) == "table" and meta.__tostring then return tostring(message) end
        message = "(error object is a " .. kind .. " value)"
      end
      return debug.traceback(message, 2)
    end

    local function show(ok, ...)
      if not ok then return complain((...)) end
      if select("#", ...) > 0 then print(...) end
    end

    for line in ask, _PROMPT or "> " do
      local chunk, message = compile(line)
      if chunk then show(xpcall(chunk, handler)) else complain(message) end
    end
    print()
    """#
}
