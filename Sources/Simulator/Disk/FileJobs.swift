import Glibc
import Reactor

/// The file jobs of a process: one after the other, each as long as the disk takes.
struct FileJobs {
  static let limit = 1_024

  private struct Entry {
    /// nil: nobody wants the answer.
    var token: UInt64?
    let job: FileJob
    /// When it is done, a moment of the world.
    let ready: UInt64
  }

  /// In the order of asking, which is that of `ready`.
  private var waiting: [Entry] = []
  private var answers: [(token: UInt64, job: FileJob, answer: FileAnswer)] = []

  /// When the next job is done.
  var nextReady: UInt64 { waiting.first?.ready ?? .max }

  mutating func start(_ token: UInt64?, _ job: FileJob, on disk: Disk) -> Int32 {
    if let token {
      guard waiting.count < Self.limit else { return -EAGAIN }
      guard !waiting.contains(where: { $0.token == token }) else { return -EEXIST }
    }
    let begin = max(disk.node.present, waiting.last?.ready ?? 0)
    waiting.append(Entry(token: token, job: job, ready: begin &+ disk.nextLatency()))
    return 0
  }

  mutating func take(_ token: UInt64) -> FileAnswer? {
    guard let index = answers.firstIndex(where: { $0.token == token }) else { return nil }
    return answers.remove(at: index).answer
  }

  /// Nobody wants an answer: it is returned if it is there. A job under way is done all the same.
  mutating func forget(_ token: UInt64) -> (job: FileJob, answer: FileAnswer)? {
    for index in waiting.indices where waiting[index].token == token { waiting[index].token = nil }
    guard let index = answers.firstIndex(where: { $0.token == token }) else { return nil }
    let (_, job, answer) = answers.remove(at: index)
    return (job, answer)
  }

  /// Takes the first job that is done at `now`.
  mutating func next(at now: UInt64) -> (token: UInt64?, job: FileJob)? {
    guard let first = waiting.first, first.ready <= now else { return nil }
    waiting.removeFirst()
    return (first.token, first.job)
  }

  mutating func keep(_ answer: FileAnswer, of job: FileJob, for token: UInt64) {
    answers.append((token, job, answer))
  }
}
