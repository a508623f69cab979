/// A call of the kernel that failed: which call, and the Linux error that it gave.
public struct SystemError: Error, Sendable, CustomStringConvertible {
  /// The errno, above zero: 111 for ECONNREFUSED.
  public let code: Int32
  /// The call that failed: "connect".
  public let call: StaticString

  /// - Parameter code: an errno, or the `-errno` that a kernel's verb returned.
  public init(_ code: Int32, in call: StaticString) {
    self.code = code < 0 ? 0 &- code : code
    self.call = call
  }

  /// The name of the error: "ECONNREFUSED".
  public var name: StaticString { Self.name(of: code) }
  /// What went wrong, in lower case: "connection refused".
  public var text: StaticString { Self.text(of: code) }

  public var description: String { "\(call): \(text) (\(name))" }

  /// Returns the name of an errno, "EUNKNOWN" for one that Linux does not have.
  public static func name(of code: Int32) -> StaticString { ErrorEntry(errno: code).name }

  /// Returns the text of an errno, "unknown error" for one that Linux does not have.
  public static func text(of code: Int32) -> StaticString { ErrorEntry(errno: code).text }
}

extension SystemError: Equatable {
  /// Compares the codes: the same error is the same whichever call met it.
  public static func == (left: SystemError, right: SystemError) -> Bool {
    left.code == right.code
  }
}
