import CLua

/// Memory for what a leaf answers: texts and nested values live here until the next leaf needs it.
@safe
struct Arena {
  private var blocks: [UnsafeMutableRawBufferPointer] = unsafe []

  mutating func bytes(_ source: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let block = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(source.count, 1), alignment: 16)
    unsafe block.copyMemory(from: source)
    unsafe blocks.append(block)
    return unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(block)[..<source.count])
  }

  mutating func text(_ text: String) -> UnsafeRawBufferPointer {
    var text = text
    return text.withUTF8 { unsafe bytes(UnsafeRawBufferPointer($0)) }
  }

  mutating func value(_ value: Value) -> lr_value {
    var raw = unsafe lr_value()
    switch value {
    case .nil: unsafe raw.kind = UInt32(LR_NIL)
    case .boolean(let flag): unsafe raw.kind = UInt32(flag ? LR_TRUE : LR_FALSE)
    case .integer(let integer):
      unsafe raw.kind = UInt32(LR_INTEGER)
      unsafe raw.integer = integer
    case .number(let number):
      unsafe raw.kind = UInt32(LR_NUMBER)
      unsafe raw.number = number
    case .bytes(let array):
      let held = unsafe array.withUnsafeBytes { unsafe bytes($0) }
      unsafe raw.kind = UInt32(LR_BYTES)
      unsafe raw.bytes = unsafe held.baseAddress?.assumingMemoryBound(to: CChar.self)
      unsafe raw.length = held.count
    case .list(let items):
      unsafe raw.kind = UInt32(LR_LIST)
      unsafe raw.length = items.count
      unsafe raw.items = unsafe values(items)
    case .table(let pairs):
      unsafe raw.kind = UInt32(LR_MAP)
      unsafe raw.length = pairs.count
      unsafe raw.items = unsafe values(pairs.flatMap { [$0.key, $0.value] })
    }
    return unsafe raw
  }

  mutating func values(_ values: [Value]) -> UnsafePointer<lr_value>? {
    guard !values.isEmpty else { return nil }
    let stride = unsafe MemoryLayout<lr_value>.stride
    let block = unsafe UnsafeMutableRawBufferPointer.allocate(
      byteCount: values.count * stride, alignment: MemoryLayout<lr_value>.alignment)
    unsafe blocks.append(block)
    let items = unsafe block.bindMemory(to: lr_value.self)
    for index in values.indices {
      unsafe items.initializeElement(at: index, to: value(values[index]))
    }
    return unsafe UnsafePointer(items.baseAddress)
  }

  /// Frees everything that was held.
  mutating func clear() {
    guard unsafe !blocks.isEmpty else { return }
    for index in unsafe blocks.indices { unsafe blocks[index].deallocate() }
    unsafe blocks.removeAll(keepingCapacity: true)
  }
}
