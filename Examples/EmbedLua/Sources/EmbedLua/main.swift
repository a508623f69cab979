import LuaHost
import Reactor

// A Swift app with a price list; what to do with it is up to a script.
let prices = ["apple": 0.40, "melon": 2.75, "plum": 0.15]

struct UnknownFruit: Error, CustomStringConvertible {
  let description: String
}

let host = try LuaHost(kernel: LinuxKernel())

// In Lua: require("app").price(name). A thrown error becomes `nil, text` there.
try host.define("price") { arguments in
  guard let name = arguments[0].text, let price = prices[name] else {
    throw UnknownFruit(description: "no such fruit: \(arguments[0].text ?? "?")")
  }
  return [.number(price)]
}

let script = """
  local app, task, time = require "app", require "reactor.task", require "reactor.time"
  local total = 0

  -- A task for each fruit; they wait side by side, as they would for a slow server.
  local function buy(name, count)
    time.sleep(0.2)
    local price, problem = app.price(name)
    print(name, price and count * price or problem)
    total = total + count * (price or 0)
  end

  local basket = { { "apple", 5 }, { "melon", 1 }, { "durian", 1 }, { "plum", 12 } }
  local tasks = {}
  for i, item in ipairs(basket) do tasks[i] = task.spawn(buy, table.unpack(item)) end
  for _, t in ipairs(tasks) do t:join() end
  return total
  """

let began = host.kernel.monotonic()
let total = try host.run(script, name: "=basket")
let milliseconds = (host.kernel.monotonic() - began) / 1_000_000

guard case .number(let sum) = total else { fatalError("the script returned \(total)") }
print("Lua says that this makes \(sum), after \(milliseconds) ms for four waits of 200 ms")

// An error in a script is an error in Swift, with the traceback.
do {
  _ = try host.run("local function pay() error 'no money' end\npay()", name: "=till")
} catch let error as LuaError {
  print("A script that fails throws:\n\(error)")
}
