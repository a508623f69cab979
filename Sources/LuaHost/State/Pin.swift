import CLua

/// Makes what the scripts of a host see a function of what they do: the order in which `pairs`
/// finds keys, what `tostring` shows of a table, when the collector runs.
///
/// Such a host has its memory at an address of its own and a given seed for hashes; `os.time`,
/// `os.date` and the locale are those of no place; commands and C modules are refused.
package struct Pin: Sendable {
  /// Which of the addresses: 2...16,383, each for one host at a time in a process.
  package var place: Int
  /// Decides the order of keys.
  package var seed: UInt32

  package init(place: Int, seed: UInt32) {
    self.place = place
    self.seed = seed
  }

  /// The places that `place` may name.
  package static let places = 2...16_383

  func check() throws(LuaError) {
    if let why = unsafe lr_pin_refusal(UInt32(clamping: place)) {
      throw .unpinned(unsafe String(cString: why))
    }
  }

  /// What the trial says when the seed is looked for at a wrong place, 0 being nowhere.
  package static func refusal(seedAt offset: Int) -> String? {
    unsafe lr_pin_try(offset).map { unsafe String(cString: $0) }
  }
}

extension LuaHost {
  /// Lets the scripts of a pinned host run so many instructions until this is called again.
  /// Behind that, an error that nothing catches ends the task that runs.
  package func allow(instructions: Int64) { unsafe lr_meter_allow(raw, instructions) }

  /// Whether a task was ended because it used up what was allowed.
  package var hasRunAway: Bool { unsafe lr_meter_is_spent(raw) != 0 }

  /// Ends the host without running a finalizer or a `__close`, as a process that is killed.
  /// The host must not be used again.
  package func abandon() { unsafe lr_host_abandon(raw) }
}
