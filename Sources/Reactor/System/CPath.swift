/// The path of a file as Linux takes it: any bytes but NUL, at most 4,095 of them.
public struct CPath: Sendable, Hashable, CustomStringConvertible {
  public static let maximumLength = 4095

  /// The bytes, with the NUL that ends them.
  private let terminated: [CChar]

  /// Returns nil when the text has a NUL, or more than 4,095 bytes.
  public init?(_ text: String) {
    self.init(text.utf8)
  }

  /// Returns nil when there is a NUL in the bytes, or more than 4,095 of them.
  public init?(bytes: UnsafeRawBufferPointer) {
    unsafe self.init(bytes)
  }

  private init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count <= Self.maximumLength, !bytes.contains(0) else { return nil }
    terminated = bytes.map { CChar(bitPattern: $0) } + [0]
  }

  /// The path without its NUL.
  public var bytes: [UInt8] { terminated.dropLast().map { UInt8(bitPattern: $0) } }

  /// The path as text, with what is not UTF-8 replaced.
  public var description: String { String(decoding: bytes, as: UTF8.self) }

  /// Lends the path, ended by a NUL, to a call.
  public borrowing func withCString<Result>(
    _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    unsafe body(terminated)
  }
}
