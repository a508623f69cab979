import CLua
import Reactor

extension LuaHost {
  /// Gives the Lua state its classes and modules, and runs the base part.
  func openModules() throws(LuaError) {
    let descriptions: [(HandleClass, Leaf)] = unsafe [
      (.task, TaskModule.describe), (.connection, ConnectionModule.describe),
      (.listener, Listener.describeLeaf), (.datagram, DatagramModule.describe),
      (.registration, RegistrationModule.describe), (.lookup, ConnectionModule.describe),
      (.file, FileModule.describe), (.job, ConnectionModule.describe),
      (.diskFile, FileSystemModule.describe),
    ]
    for index in unsafe descriptions.indices {
      let (kind, describe) = unsafe descriptions[index]
      let name = unsafe UnsafeRawPointer(kind.name.utf8Start).assumingMemoryBound(to: CChar.self)
      guard unsafe lr_class(raw, name, describe, nil) == Int32(kind.rawValue) else {
        throw lastError(LuaError.definition)
      }
    }
    for index in 0..<lr_source_count where unsafe lr_prelude(raw, lr_source_at(index)) != 0 {
      throw lastError(LuaError.definition)
    }
    try define(
      "reactor.base", BaseModule.functions + FileModule.functions + OSModule.functions)
    try define("reactor", ReactorModule.functions + RegistrationModule.functions)
    try define("reactor.sys", SystemModule.functions)
    try define(
      "reactor.net", NetModule.functions + ConnectionModule.functions + DatagramModule.functions)
    try define("reactor.fs", FileSystemModule.functions)
    try define("reactor.time", TimeModule.functions)
    try define("reactor.task", TaskModule.functions)
    try define("reactor.test.run", TestModule.functions)
    if unsafe lr_run_module(raw, "reactor.base") != 0 { throw lastError(LuaError.definition) }
  }
}
