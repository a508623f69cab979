/// The connections that have timers, by slot; a slot's generation tells the old from the new.
struct TimerTable {
  private var connections: [TCPConnection?] = []
  private var generations: [UInt32] = []
  private var free: [UInt32] = []

  mutating func add(_ connection: TCPConnection) -> TimerSlot {
    if let index = free.popLast() {
      connections[Int(index)] = connection
      return TimerSlot(index: index, generation: generations[Int(index)])
    }
    connections.append(connection)
    generations.append(0)
    return TimerSlot(index: UInt32(connections.count - 1), generation: 0)
  }

  mutating func remove(_ slot: TimerSlot) {
    connections[Int(slot.index)] = nil
    generations[Int(slot.index)] = (generations[Int(slot.index)] &+ 1) & TimerSlot.generations
    free.append(slot.index)
  }

  subscript(word: UInt) -> TCPConnection? {
    let slot = TimerSlot(word: word)
    return generations[Int(slot.index)] == slot.generation ? connections[Int(slot.index)] : nil
  }
}

/// Whose timer an event is.
struct TimerSlot {
  /// Generations have 28 bits: the word of an event has 60.
  static let generations: UInt32 = 0xFFF_FFFF

  let index: UInt32
  let generation: UInt32

  init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }

  init(word: UInt) {
    index = UInt32(truncatingIfNeeded: word)
    generation = UInt32(truncatingIfNeeded: word >> 32)
  }

  var word: UInt { UInt(generation) << 32 | UInt(index) }
}
