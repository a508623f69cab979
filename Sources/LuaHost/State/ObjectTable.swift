import Reactor

/// What is behind the handles of scripts: a slot for each object, with a generation, so that a
/// handle that outlived its object finds nothing.
@safe
///
/// Connections are plain records of the reactor; everything else is an object that is retained.
struct ObjectTable {
  typealias Handle = (slot: UInt32, generation: UInt32)

  @safe
  struct Slot {
    /// A `StreamPointer` when the kind is a connection, else an unmanaged `Box`. nil: free.
    var content: UnsafeMutableRawPointer?
    var generation: UInt32 = 1
    /// The kind; of a free slot, the number of the next free one, and `UInt32.max` at the end.
    var kind: UInt32
  }

  /// An object together with its conformance: looking that up costs 130,000 instructions at the
  /// first time.
  private final class Box {
    let object: any HandleObject
    init(_ object: any HandleObject) { self.object = object }
  }

  private static func box(_ content: UnsafeMutableRawPointer) -> Unmanaged<Box> {
    unsafe Unmanaged.fromOpaque(content)
  }

  private var slots: UnsafeMutablePointer<Slot>
  private var capacity = 64
  private var used = 0
  private var firstFree: UInt32 = .max
  private(set) var count = 0

  init() { unsafe slots = .allocate(capacity: capacity) }

  mutating func insert(_ object: any HandleObject, _ kind: HandleClass) -> Handle {
    unsafe insert(Unmanaged.passRetained(Box(object)).toOpaque(), kind)
  }

  mutating func insert(_ stream: StreamPointer) -> Handle {
    let handle = unsafe insert(UnsafeMutableRawPointer(stream), .connection)
    unsafe stream.pointee.handle = handle
    return handle
  }

  private mutating func insert(
    _ content: UnsafeMutableRawPointer, _ kind: HandleClass
  ) -> Handle {
    count += 1
    if firstFree != .max {
      let slot = firstFree
      firstFree = unsafe slots[Int(slot)].kind
      unsafe slots[Int(slot)].content = unsafe content
      unsafe slots[Int(slot)].kind = kind.rawValue
      return unsafe (slot, slots[Int(slot)].generation)
    }
    if used == capacity { grow() }
    unsafe (slots + used).initialize(to: Slot(content: content, kind: kind.rawValue))
    used += 1
    return (UInt32(truncatingIfNeeded: used - 1), 1)
  }

  /// What a handle names. nil when it was closed. C has checked the handle's class.
  @inline(__always)
  private func content(_ handle: Handle, _ kind: HandleClass) -> UnsafeMutableRawPointer? {
    guard Int(handle.slot) < used else { return nil }
    let slot = unsafe slots + Int(handle.slot)
    guard unsafe slot.pointee.generation == handle.generation,
      unsafe slot.pointee.kind == kind.rawValue
    else {
      return nil
    }
    return unsafe slot.pointee.content
  }

  @inline(__always)
  func stream(_ handle: Handle) -> StreamPointer? {
    unsafe content(handle, .connection)?.assumingMemoryBound(to: Stream.self)
  }

  func find<Object: AnyObject>(
    _ handle: Handle, _ kind: HandleClass, as: Object.Type
  ) -> Object? {
    guard let content = unsafe content(handle, kind) else { return nil }
    return unsafe Self.box(content).takeUnretainedValue().object as? Object
  }

  /// What is, or was, behind a handle.
  @safe
  enum Content {
    case stream(StreamPointer)
    case object(any HandleObject)
  }

  /// Takes out what a handle names; its handles find nothing from now on.
  mutating func remove(_ handle: Handle) -> Content? {
    guard Int(handle.slot) < used else { return nil }
    let slot = unsafe slots + Int(handle.slot)
    guard unsafe slot.pointee.generation == handle.generation,
      let content = unsafe slot.pointee.content
    else {
      return nil
    }
    unsafe slot.pointee.content = nil
    unsafe slot.pointee.generation &+= 1
    count -= 1
    let kind = unsafe slot.pointee.kind
    unsafe slot.pointee.kind = firstFree
    firstFree = handle.slot
    if kind == HandleClass.connection.rawValue {
      return unsafe .stream(content.assumingMemoryBound(to: Stream.self))
    }
    return unsafe .object(Self.box(content).takeRetainedValue().object)
  }

  /// The handle of whatever is in the first slot that is taken, for closing everything.
  func first() -> Handle? {
    for slot in 0..<used where unsafe slots[slot].content != nil {
      return unsafe (UInt32(truncatingIfNeeded: slot), slots[slot].generation)
    }
    return nil
  }

  /// Calls `body` for each object of a kind, in the order of their slots.
  func forEach<Object: AnyObject>(_ kind: HandleClass, as: Object.Type, _ body: (Object) -> Void) {
    for slot in 0..<used
    where unsafe slots[slot].content != nil && slots[slot].kind == kind.rawValue {
      let handle = unsafe (UInt32(truncatingIfNeeded: slot), slots[slot].generation)
      if let object = find(handle, kind, as: Object.self) { body(object) }
    }
  }

  /// Calls `body` for everything that is there, in the order of the slots.
  func forEach(_ body: (Handle, Content) -> Void) {
    for slot in 0..<used {
      guard let content = unsafe slots[slot].content else { continue }
      let handle = unsafe (UInt32(truncatingIfNeeded: slot), slots[slot].generation)
      if unsafe slots[slot].kind == HandleClass.connection.rawValue {
        unsafe body(handle, .stream(content.assumingMemoryBound(to: Stream.self)))
      } else {
        unsafe body(handle, .object(Self.box(content).takeUnretainedValue().object))
      }
    }
  }

  func deallocate() { unsafe slots.deallocate() }

  private mutating func grow() {
    let moved = UnsafeMutablePointer<Slot>.allocate(capacity: capacity * 2)
    unsafe moved.moveInitialize(from: slots, count: used)
    unsafe slots.deallocate()
    unsafe slots = unsafe moved
    capacity *= 2
  }
}

/// Something behind a handle that is not a connection.
protocol HandleObject: AnyObject {
  /// Whether dropping it unclosed is a mistake that is worth a warning.
  var isOpen: Bool { get }
  /// Where a script made it, as a number for `LuaHost.siteText`.
  var site: UInt32 { get }
  func describe() -> String
  func close()
}

/// The kinds of handles that the host itself makes. ORDER: `LuaHost.openClasses`
enum HandleClass: UInt32, CaseIterable {
  case task = 1
  case connection, listener, datagram, registration, lookup, file, job, diskFile

  var name: StaticString {
    switch self {
    case .task: "task"
    case .connection: "connection"
    case .listener: "listener"
    case .datagram: "UDP socket"
    case .registration: "registration"
    case .lookup: "lookup"
    case .job: "file job"
    case .diskFile: "file"
    case .file: "FILE*"  // what the messages of stock Lua call it
    }
  }
}
