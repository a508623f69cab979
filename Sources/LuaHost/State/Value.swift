import CLua

/// A plain value between Swift and Lua.
///
/// Numbers keep their kind: an integer stays an integer. Strings are bytes; `text` reads them as
/// UTF-8. Tables, functions and handles have no plain form.
public enum Value: Sendable, Equatable {
  case `nil`
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case bytes([UInt8])
  case list([Value])
  /// Pairs in the order in which they are set.
  case table([(key: Value, value: Value)])

  /// Makes a string value.
  public static func text(_ text: String) -> Value { .bytes(Array(text.utf8)) }

  /// The value as text, when it is a string.
  public var text: String? {
    guard case .bytes(let bytes) = self else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  init(_ value: lr_value) {
    switch unsafe Int32(value.kind) {
    case Int32(LR_FALSE): self = .boolean(false)
    case Int32(LR_TRUE): self = .boolean(true)
    case Int32(LR_INTEGER): self = unsafe .integer(value.integer)
    case Int32(LR_NUMBER): self = unsafe .number(value.number)
    case Int32(LR_BYTES):
      self = unsafe .bytes(Array(UnsafeRawBufferPointer(start: value.bytes, count: value.length)))
    default: self = .nil
    }
  }

  public static func == (left: Value, right: Value) -> Bool {
    switch (left, right) {
    case (.nil, .nil): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.bytes(let a), .bytes(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    case (.table(let a), .table(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
    default: false
    }
  }
}
