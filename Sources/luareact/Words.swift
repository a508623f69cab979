import Glibc

/// The words of a command line as the bytes that they are: a file name need not be UTF-8.
@safe
struct Words {
  private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  let count: Int

  static var ofProcess: Words {
    unsafe Words(pointers: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
  }

  /// The bytes of a word; none past the last.
  subscript(index: Int) -> [UInt8] {
    guard index >= 0, index < count, let word = unsafe pointers[index] else { return [] }
    return unsafe Array(UnsafeRawBufferPointer(start: word, count: strlen(word)))
  }

  /// A word as text, with what is not UTF-8 replaced.
  func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

  func text(from first: Int) -> [String] { (min(first, count)..<count).map(text) }
}
