import Foundation
import Testing

/// Runs the command to its end.
func luareact(
  _ arguments: String..., input: String = "", environment: [String: String] = [:],
  folder: String = Paths.root
) throws -> Child.Result {
  try run(Paths.command, arguments, input: input, environment: environment, folder: folder)
}

/// Runs a program to its end.
func run(
  _ program: String, _ arguments: [String], input: String = "",
  environment: [String: String] = [:], folder: String = Paths.root
) throws -> Child.Result {
  let child = try Child(program, arguments, environment: environment, folder: folder)
  try child.write(input)
  return try child.finish()
}

/// A folder of files for one test, removed at its end.
final class Folder {
  let path: String

  init(_ files: [String: String]) throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("luareact-\(UUID().uuidString)")
    path = url.path
    for name in files.keys.sorted() + ["./"] {
      let file = url.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try files[name]?.write(to: file, atomically: false, encoding: .utf8)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The result of a program that did what it should: nothing on standard error, exit code 0.
func expectSuccess(
  _ result: Child.Result, _ location: SourceLocation = #_sourceLocation
) {
  #expect(result.errors == "", sourceLocation: location)
  #expect(result.code == 0, sourceLocation: location)
}

/// Whether tests that have a long version run it: `make soak` says so.
let isSoak = ProcessInfo.processInfo.environment["LUAREACT_SOAK"] != nil
