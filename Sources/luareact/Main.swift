import Glibc
import LuaHost
import Reactor

// temporary: replaced by the real command
@main
struct Main {
  static func main() throws {
    let path = CommandLine.arguments.dropFirst().first ?? ""
    guard let file = unsafe fopen(path, "r") else { print("cannot open \(path)"); exit(2) }
    var text = [UInt8](repeating: 0, count: 1 << 20)
    let n = unsafe fread(&text, 1, text.count, file)
    let host = try LuaHost(kernel: LinuxKernel())
    try host.load(String(decoding: text[..<n], as: UTF8.self), name: "@" + path, arguments: CommandLine.arguments.dropFirst(2).map { .text($0) })
    let status = try host.run()
    switch status {
    case .done: exit(0)
    case .failed: exit(1)
    case .code(let code): exit(code)
    }
  }
}
