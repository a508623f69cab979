/// Memory for streams, in chunks: they are many, small, and come and go.
@safe
struct StreamPool {
  private static let chunkSize = 64
  private var chunks: [StreamPointer] = unsafe []
  private var free: [StreamPointer] = unsafe []

  /// Memory for one stream, uninitialized.
  mutating func take() -> StreamPointer {
    if let stream = unsafe free.popLast() { return unsafe stream }
    let chunk = StreamPointer.allocate(capacity: Self.chunkSize)
    unsafe chunks.append(chunk)
    for index in 1..<Self.chunkSize { unsafe free.append(chunk + (Self.chunkSize - index)) }
    return unsafe chunk
  }

  mutating func give(_ stream: StreamPointer) { unsafe free.append(stream) }

  func deallocate() {
    for index in unsafe chunks.indices { unsafe chunks[index].deallocate() }
  }
}
