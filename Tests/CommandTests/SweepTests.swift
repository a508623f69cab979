import Foundation
import Testing

@Suite struct `Memory that runs out` {
  /// Samples of the sweep that `make sweep` does in full: every one of its runs is a process that
  /// loses some allocations, and must neither crash nor hang, leak or keep silent.
  @Test func `is no more than an error to a script`() throws {
    let tool = URL(fileURLWithPath: Paths.command).deletingLastPathComponent()
      .appendingPathComponent("AllocationSweep").path
    let child = try Child(
      tool, ["--quick", "--scripts", "Tests/AllocationSweep/scripts"],
      environment: ["SWIFT_BACKTRACE": "enable=no"], seconds: 300)
    let result = try child.finish()
    #expect(result.code == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains(" 0 findings"))
  }
}
