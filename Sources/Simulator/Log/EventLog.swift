/// All that has happened in a world, in order: a hash always, and the records when they are kept.
///
/// Two runs of a seed have the same hash; the first record that differs tells where they parted.
public final class EventLog {
  /// The hash of all records so far.
  @safe @exclusivity(unchecked) public private(set) var digest = Digest()
  /// How many there are.
  @safe @exclusivity(unchecked) public private(set) var count: UInt64 = 0
  /// Whether records are kept, from now on.
  @safe @exclusivity(unchecked) public var keepsRecords = false
  /// The records that were kept and not taken.
  @safe @exclusivity(unchecked) public private(set) var records: [LogRecord] = []
  /// Called when 1,024 records were kept; takes them with `takeRecords()`, or leaves them.
  @safe @exclusivity(unchecked) public var onFull: ((EventLog) -> Void)?

  static let chunk = 1_024

  /// Takes the records that were kept.
  public func takeRecords() -> [LogRecord] {
    defer { records = [] }
    return records
  }

  @inline(__always)
  func add(
    _ kind: LogRecord.Kind, detail: UInt8 = 0, node: UInt32, peer: UInt32 = LogRecord.noNode,
    argument: UInt64 = 0, hash: UInt64 = 0, length: UInt32 = 0, ports: UInt32 = 0,
    at time: UInt64
  ) {
    let record = LogRecord(
      time: time, sequence: count, node: node, peer: peer, argument: argument,
      hash: hash, length: length, ports: ports,
      kindAndDetail: UInt16(detail) << 8 | UInt16(kind.rawValue))
    count &+= 1
    let words = record.words
    digest.add(words.0, words.1)
    digest.add(words.2, words.3)
    digest.add(words.4, words.5)
    if keepsRecords { keep(record) }
  }

  @inline(never)
  private func keep(_ record: LogRecord) {
    records.append(record)
    if records.count % Self.chunk == 0 { onFull?(self) }
  }
}

extension LogRecord {
  /// Appends the 48 bytes of the record, with the lowest byte of each word first.
  public func append(to bytes: inout [UInt8]) {
    let words = words
    for word in [words.0, words.1, words.2, words.3, words.4, words.5] {
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
  }
}
