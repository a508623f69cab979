/// What is behind the handles of scripts: a slot for each object, with a generation, so that a
/// handle that outlived its object finds nothing.
@safe
struct ObjectTable {
  @safe
  struct Slot {
    var object: Unmanaged<AnyObject>?
    var generation: UInt32 = 1
    var kind: HandleClass
  }

  private var slots: UnsafeMutablePointer<Slot>
  private var capacity = 64
  private var used = 0
  private var free: [UInt32] = []
  private(set) var count = 0

  init() { unsafe slots = .allocate(capacity: capacity) }

  mutating func insert(_ object: AnyObject, _ kind: HandleClass) -> (UInt32, UInt32) {
    count += 1
    let held = unsafe Unmanaged.passRetained(object)
    if let slot = free.popLast() {
      unsafe slots[Int(slot)].object = unsafe held
      unsafe slots[Int(slot)].kind = kind
      return unsafe (slot, slots[Int(slot)].generation)
    }
    if used == capacity { grow() }
    unsafe (slots + used).initialize(to: Slot(object: held, kind: kind))
    used += 1
    return (UInt32(truncatingIfNeeded: used - 1), 1)
  }

  /// The object of a handle. The C side has checked that the handle is of `kind`.
  @inline(__always)
  func find<Object: AnyObject>(
    _ handle: (slot: UInt32, generation: UInt32), _ kind: HandleClass, as: Object.Type
  ) -> Object? {
    guard Int(handle.slot) < used else { return nil }
    let slot = unsafe slots + Int(handle.slot)
    guard unsafe slot.pointee.generation == handle.generation, unsafe slot.pointee.kind == kind,
      let object = unsafe slot.pointee.object
    else { return nil }
    return unsafe unsafeDowncast(object.takeUnretainedValue(), to: Object.self)
  }

  /// Takes the object out; its handles find nothing from now on.
  mutating func remove(_ handle: (slot: UInt32, generation: UInt32)) -> AnyObject? {
    guard Int(handle.slot) < used else { return nil }
    let slot = unsafe slots + Int(handle.slot)
    guard unsafe slot.pointee.generation == handle.generation, let object = unsafe slot.pointee.object else {
      return nil
    }
    unsafe slot.pointee.object = nil
    unsafe slot.pointee.generation &+= 1
    free.append(handle.slot)
    count -= 1
    return unsafe object.takeRetainedValue()
  }

  /// Takes out whatever is left, in the order of its slots.
  mutating func removeAll() -> [AnyObject] {
    var objects: [AnyObject] = []
    for slot in 0..<used where unsafe slots[slot].object != nil {
      let handle = unsafe (slot: UInt32(truncatingIfNeeded: slot), generation: slots[slot].generation)
      if let object = remove(handle) { objects.append(object) }
    }
    return objects
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

/// The kinds of handles that the host itself makes. ORDER: `LuaHost.openClasses`
enum HandleClass: UInt32, CaseIterable {
  case task = 1
  case connection, listener, datagram, registration, lookup

  var name: StaticString {
    switch self {
    case .task: "task"
    case .connection: "connection"
    case .listener: "listener"
    case .datagram: "UDP socket"
    case .registration: "registration"
    case .lookup: "lookup"
    }
  }
}
