/// One event as a kernel reports it: which token, and what became ready.
public struct KernelEvent: Sendable {
  /// The token that the descriptor was registered with.
  public var token: UInt64
  public var ready: Ready

  public init(token: UInt64, ready: Ready) {
    self.token = token
    self.ready = ready
  }
}

/// The events of one `Kernel.poll(until:into:)`: a fixed buffer, filled anew by each poll.
@safe
public final class EventBatch {
  /// The most events that one poll delivers; the kernel keeps the rest for the next one.
  public let capacity: Int
  /// `LinuxKernel` writes its events here without the checks of `append(_:)`.
  let storage: UnsafeMutablePointer<KernelEvent>
  @safe @exclusivity(unchecked) public internal(set) var count = 0

  /// - Parameter capacity: 1...65,536 events; others are brought into that range.
  public init(capacity: Int = 1024) {
    self.capacity = min(max(capacity, 1), 65_536)
    unsafe storage = .allocate(capacity: self.capacity)
  }

  deinit { unsafe storage.deallocate() }

  public func removeAll() { count = 0 }

  /// Adds an event. Returns false when the batch is full and the event was not taken.
  @discardableResult
  public func append(_ event: KernelEvent) -> Bool {
    guard count < capacity else { return false }
    unsafe storage[count] = event
    count += 1
    return true
  }

  public subscript(index: Int) -> KernelEvent {
    precondition(index >= 0 && index < count)
    return unsafe storage[index]
  }
}
