/// Why a text is not a link rule.
public struct LinkRuleError: Error, Equatable, CustomStringConvertible {
  /// Where the word stands that is wrong, counting from 1.
  public let column: Int
  /// What is wrong: "\"20xs\" is not a time: use ns, us, ms, s, min or h".
  public let reason: String

  public var description: String { "column \(column): \(reason)" }
}
