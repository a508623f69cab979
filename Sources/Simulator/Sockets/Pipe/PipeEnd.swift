import Glibc
import Reactor

/// One end of a pipe.
final class PipeEnd: OpenFile {
  private let pipe: Pipe
  private let isReader: Bool

  private init(node: Node, pipe: Pipe, isReader: Bool) {
    (self.pipe, self.isReader) = (pipe, isReader)
    super.init(node: node)
  }

  /// Makes both ends of a new pipe.
  static func pair(node: Node) -> (reader: PipeEnd, writer: PipeEnd) {
    let pipe = Pipe()
    let (reader, writer) = (
      PipeEnd(node: node, pipe: pipe, isReader: true),
      PipeEnd(node: node, pipe: pipe, isReader: false)
    )
    (pipe.reader, pipe.writer) = (reader, writer)
    return (reader, writer)
  }

  override var kind: DescriptorKind { .pipe }

  override var events: PollEvents {
    if isReader {
      let events: PollEvents = pipe.isEmpty ? [] : .readable
      return pipe.writer == nil ? events.union(.hangUp) : events
    }
    let events: PollEvents = pipe.isFull ? [] : .writable
    return pipe.reader == nil ? events.union(.error) : events
  }

  override func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe isReader ? pipe.read(buffer) : Int(-EBADF)
  }

  override func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe isReader ? Int(-EBADF) : pipe.write(bytes)
  }

  override func close() {
    if isReader {
      pipe.reader = nil
      pipe.writer?.signal([.error, .writable])
    } else {
      pipe.writer = nil
      pipe.reader?.signal([.hangUp, .readable])
    }
  }
}
