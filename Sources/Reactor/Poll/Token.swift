/// What the kernel hands back with an event: a slot and the generation that it had.
///
/// A token is compared, never dereferenced. An event whose generation is not the slot's is stale
/// (of a descriptor that was closed, reused or duplicated): it is dropped and counted.
struct Token: Hashable, Sendable {
  let slot: UInt32
  let generation: UInt32

  init(slot: UInt32, generation: UInt32) {
    self.slot = slot
    self.generation = generation
  }

  init(rawValue: UInt64) {
    slot = UInt32(truncatingIfNeeded: rawValue)
    generation = UInt32(truncatingIfNeeded: rawValue >> 32)
  }

  var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}
