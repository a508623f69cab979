import CLua

/// Switches for tests that take memory away from a state, to see that nothing but the script
/// notices.
extension LuaHost {
  /// Which allocations fail, counted from the moment of the switch.
  package enum FailureMode: Int32, CaseIterable, Sendable {
    /// That one; Lua tries again after an emergency collection, so the script rarely notices.
    case once = 0
    /// That one and the next, which is the second try.
    case twice = 1
    /// Every one from it on.
    case always = 2
  }

  /// Makes allocation `first` from now on fail (1 is the next one); 0 ends all failures.
  package func failAllocation(_ first: UInt64, _ mode: FailureMode) {
    unsafe lr_fail_allocation(raw, first, mode.rawValue)
  }

  /// The same for hosts that are opened from now on, counted from the start of the opening.
  package static func failOpening(_ first: UInt64, _ mode: FailureMode) {
    lr_fail_opening(first, mode.rawValue)
  }

  /// Allocations since the last switch, the refused ones included.
  package var allocationCount: UInt64 { unsafe lr_allocation_count(raw) }

  /// Handles whose object has not been closed.
  package var openHandleCount: Int { objects.count }
}
