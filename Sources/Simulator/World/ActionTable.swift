/// The owner's timed actions, by slot.
struct ActionTable {
  private var actions: [(() -> Void)?] = []
  private var free: [Int] = []

  mutating func add(_ action: @escaping () -> Void) -> Int {
    if let slot = free.popLast() {
      actions[slot] = action
      return slot
    }
    actions.append(action)
    return actions.count - 1
  }

  mutating func take(_ slot: UInt) -> (() -> Void)? {
    let slot = Int(slot)
    defer { actions[slot] = nil }
    free.append(slot)
    return actions[slot]
  }
}
