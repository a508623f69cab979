import CLua
import Reactor

/// A leaf as C calls it. Never NULL in a call; it may be called by C only.
typealias Leaf = @convention(c) (UnsafeMutablePointer<lr_call>) -> Int32

/// A function of a module or a method of a class of handles, as Lua sees it.
@safe
struct Function {
  let name: StaticString
  /// One letter an argument; CLua.h has the table.
  let signature: StaticString
  /// Whether it may wait: such a call is refused where the script cannot yield.
  var waits = false
  /// Whether it takes any number of strings and numbers, and whether they arrive as one string.
  var texts = Texts.none
  /// The class whose method it is; nil: a function of the module.
  var method: HandleClass?
  let leaf: Leaf
  /// The shortcut of a method that is called for every message.
  let fast: lr_fast_leaf?
  let fastAgain: lr_fast_again?

  enum Texts { case none, separate, joined }

  init(
    _ name: StaticString, _ signature: StaticString, waits: Bool = false, texts: Texts = .none,
    method: HandleClass? = nil, fast: lr_fast_leaf? = nil, fastAgain: lr_fast_again? = nil,
    _ leaf: @escaping Leaf
  ) {
    self.name = name
    self.signature = signature
    self.waits = waits
    self.texts = texts
    self.method = method
    unsafe self.leaf = unsafe leaf
    unsafe self.fast = unsafe fast
    unsafe self.fastAgain = unsafe fastAgain
  }

  private var flags: UInt32 {
    var flags = waits ? LR_WAITS : 0
    switch texts {
    case .none: break
    case .separate: flags |= LR_TEXTS
    case .joined: flags |= LR_JOINS
    }
    return UInt32(flags)
  }

  var definition: lr_definition {
    unsafe lr_definition(
      name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
      signature: UnsafeRawPointer(signature.utf8Start).assumingMemoryBound(to: CChar.self),
      leaf: leaf, data: nil, class_id: method?.rawValue ?? 0,
      flags: flags, fast: fast, fast_again: fastAgain)
  }
}

/// A Swift function that an app gave to its scripts.
struct Closure {
  let name: String
  let body: (Arguments) throws -> [Value]
}

/// What a script passed to a Swift function.
@safe
public struct Arguments {
  let call: Call

  /// How many arguments there are.
  public var count: Int { call.count }

  /// Argument `index`, from 0 on; nil past the last.
  public subscript(index: Int) -> Value { index >= 0 ? call.plain(index) : .nil }
}

extension LuaHost {
  func define(_ module: StaticString, _ functions: [Function]) throws(LuaError) {
    let definitions = unsafe functions.map(unsafe \.definition)
    let name = unsafe UnsafeRawPointer(module.utf8Start).assumingMemoryBound(to: CChar.self)
    if unsafe lr_define(raw, name, definitions, definitions.count) != 0 {
      throw lastError(LuaError.definition)
    }
  }

  /// Gives scripts a Swift function: `require(module)[name](…)`.
  ///
  /// The function gets plain values (nil, booleans, numbers, strings), at most 32 of them, and
  /// answers plain values, lists and tables, at most 32. An error that it throws becomes
  /// `nil, text` in the script. It runs on the host's thread and must not wait.
  ///
  /// - Throws: `LuaError.definition` when the name holds a NUL byte, or `.outOfMemory`.
  public func define(
    _ name: String, in module: String = "app", _ body: @escaping (Arguments) throws -> [Value]
  ) throws(LuaError) {
    if name.utf8.contains(0) || module.utf8.contains(0) || name.isEmpty {
      throw .definition("a name of a function must not be empty or hold a NUL byte")
    }
    let index = closures.count
    closures.append(Closure(name: name, body: body))
    let result = unsafe name.withCString { name in
      var definition = unsafe Function("", "*", LuaHost.callClosure).definition
      unsafe definition.name = unsafe name
      unsafe definition.data = unsafe UnsafeRawPointer(bitPattern: index + 1)
      return unsafe module.withCString { unsafe lr_define(raw, $0, &definition, 1) }
    }
    if result != 0 { throw lastError(LuaError.definition) }
  }

  private static let callClosure: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    let index = unsafe Int(bitPattern: raw.pointee.data) - 1
    guard host.closures.indices.contains(index) else { return call.raise("unknown function") }
    do {
      let results = try host.closures[index].body(Arguments(call: call))
      if results.count > Int(LR_MAX_RESULTS) {
        return call.raise("'\(host.closures[index].name)' answered more than 32 values")
      }
      for value in results { call.push(value) }
      return call.done
    } catch {
      return call.fail("\(error)")
    }
  }
}
