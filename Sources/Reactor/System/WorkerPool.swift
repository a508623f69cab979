internal import CLinux
import Glibc
import Synchronization

/// Does work that blocks, such as getaddrinfo(3) and fsync(2), in at most four threads.
///
/// A thread starts when there is work for it, and ends when there is none. It holds this object
/// and nothing else, so that one which is stuck keeps neither the kernel nor the process alive.
/// Work on one file is done in the order in which it was asked for.
final class WorkerPool: Sendable {
  static let maximumThreads = 4
  static let maximumJobs = 1024

  enum Work: Sendable {
    case lookup(host: String, service: String)
    case file(FileJob)

    /// The file that nothing else may work on meanwhile.
    var descriptor: Int32? {
      if case .file(let job) = self { job.descriptor } else { nil }
    }
  }

  enum Answer: Sendable {
    case names(Resolution)
    case file(FileAnswer)
  }

  private enum Phase {
    case waiting
    case running
    case done(Answer, announced: Bool)
  }

  private struct Job {
    /// nil: nobody wants the answer.
    var token: UInt64?
    let serial: UInt64
    let work: Work
    var phase = Phase.waiting
  }

  private struct State {
    /// In the order of asking.
    var jobs: [Job] = []
    var threads = 0
    var serial: UInt64 = 0
    /// nil after `stop()`.
    var waker: Waker?
  }

  private let state: Mutex<State>

  init(waker: Waker) { state = Mutex(State(waker: waker)) }

  /// Forgets every job and the waker with its descriptor. Files are still closed.
  func stop() {
    state.withLock { state in
      for index in state.jobs.indices { state.jobs[index].token = nil }
      Self.dropForgotten(&state.jobs)
      state.waker = nil
    }
  }

  // MARK: The poller's side

  /// Returns 0, `-EAGAIN` at the limit, `-EEXIST` when the token has a job, or the error of
  /// starting the first thread.
  ///
  /// - Parameter token: names the answer; nil for work without one, which no limit refuses.
  func start(_ token: UInt64?, _ work: Work) -> Int32 {
    state.withLock { state in
      if let token {
        guard state.jobs.count < Self.maximumJobs else { return -EAGAIN }
        guard !state.jobs.contains(where: { $0.token == token }) else { return -EEXIST }
      }
      if state.threads < Self.maximumThreads {
        let result = startThread()
        if result == 0 {
          state.threads += 1
        } else if state.threads == 0 {
          return result
        }
      }
      state.serial += 1
      state.jobs.append(Job(token: token, serial: state.serial, work: work))
      return 0
    }
  }

  func take(_ token: UInt64) -> Answer? {
    state.withLock { state in
      guard let index = state.jobs.firstIndex(where: { $0.token == token }),
        case .done(let answer, _) = state.jobs[index].phase
      else { return nil }
      state.jobs.remove(at: index)
      return answer
    }
  }

  /// Nobody wants the answer any more. Work that has begun is finished.
  func forget(_ token: UInt64) {
    state.withLock { state in
      guard let index = state.jobs.firstIndex(where: { $0.token == token }) else { return }
      state.jobs[index].token = nil
      Self.dropForgotten(&state.jobs)
    }
  }

  /// Drops jobs that nobody wants and that need not be done, and what came of those that were.
  private static func dropForgotten(_ jobs: inout [Job]) {
    jobs.removeAll { job in
      guard job.token == nil else { return false }
      switch job.phase {
      case .running: return false
      case .waiting:
        if case .file(.close) = job.work { return false }
        return true
      case .done(let answer, _):
        discard(answer, of: job.work)
        return true
      }
    }
  }

  /// A file that was opened for nobody is closed.
  private static func discard(_ answer: Answer, of work: Work) {
    if case .file(.open) = work, case .file(.count(let fd)) = answer {
      _ = linux_close(Int32(truncatingIfNeeded: fd))
    }
  }

  /// Adds an event for every answer that is new. Those for which there is no room come with the
  /// next poll.
  func announce(into batch: EventBatch) {
    state.withLock { state in
      for index in state.jobs.indices {
        guard let token = state.jobs[index].token,
          case .done(let answer, announced: false) = state.jobs[index].phase
        else { continue }
        guard batch.append(KernelEvent(token: token, ready: .readable)) else {
          state.waker?.wake()
          return
        }
        state.jobs[index].phase = .done(answer, announced: true)
      }
    }
  }

  // MARK: The threads' side

  private func startThread() -> Int32 {
    let context = unsafe Unmanaged.passRetained(self)
    let result = unsafe linux_start_thread(
      { context in
        guard let context = unsafe context else { return }
        unsafe Unmanaged<WorkerPool>.fromOpaque(context).takeRetainedValue().work()
      }, context.toOpaque())
    if result != 0 { unsafe context.release() }
    return result
  }

  private func work() {
    while let (serial, work) = next() {
      switch work {
      case .lookup(let host, let service):
        finish(serial, .names(NameLookup.resolve(host, service)))
      case .file(let job): finish(serial, .file(FileWork.perform(job)))
      }
    }
  }

  /// Takes the first job that waits and whose file nobody works on. nil: this thread is over.
  private func next() -> (serial: UInt64, work: Work)? {
    state.withLock { state in
      var busy: [Int32] = []
      for index in state.jobs.indices {
        let work = state.jobs[index].work
        if case .done = state.jobs[index].phase { continue }
        if let descriptor = work.descriptor {
          defer { busy.append(descriptor) }
          if busy.contains(descriptor) { continue }
        }
        guard case .waiting = state.jobs[index].phase else { continue }
        state.jobs[index].phase = .running
        return (state.jobs[index].serial, work)
      }
      state.threads -= 1
      return nil
    }
  }

  private func finish(_ serial: UInt64, _ answer: Answer) {
    state.withLock { state in
      guard let index = state.jobs.firstIndex(where: { $0.serial == serial }) else { return }
      state.jobs[index].phase = .done(answer, announced: false)
      if state.jobs[index].token == nil {
        Self.dropForgotten(&state.jobs)
      } else {
        state.waker?.wake()
      }
    }
  }
}
