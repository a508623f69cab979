import Foundation
import Glibc
import Synchronization

/// A program that runs as a child, with pipes as its standard streams.
///
/// Everything waits in poll(2) with a time limit, so that no test needs to sleep, and a child that
/// hangs is killed. Pipes are close-on-exec: children of other tests do not hold them open.
final class Child {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// What is left when a child has ended.
  struct Result {
    var output = ""
    var errors = ""
    /// nil: a signal ended it.
    var code: Int32?
    var signal: Int32?
  }

  let pid: pid_t
  private var input: Int32
  private var output: Int32
  private var errors: Int32
  private var outputBytes: [UInt8] = []
  private var errorBytes: [UInt8] = []
  private var isReaped = false
  private let deadline: Int

  /// - Parameter seconds: after that long the child is killed, and what waits for it throws.
  init(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    folder: String = Paths.root, seconds: Int = 60
  ) throws {
    deadline = Self.now() + seconds * 1000
    let words = ["env", "-i", "-C", folder] + Self.environment(with: environment)
    let started = try Self.spawning.withLock { _ in
      try Self.start(words + [program] + arguments)
    }
    (pid, input, output, errors) = (
      started.pid, started.streams[0], started.streams[1], started.streams[2]
    )
    _ = fcntl(input, F_SETFL, O_NONBLOCK)
  }

  /// One at a time: between pipe(2) and fcntl(2) another child would inherit the pipe.
  private static let spawning = Mutex(())

  /// Starts a program, and returns the other ends of its standard streams.
  private static func start(_ words: [String]) throws -> (pid: pid_t, streams: [Int32]) {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    var attributes = signalAttributes()
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var ours: [Int32] = []
    var theirs: [Int32] = []
    defer { for fd in theirs { close(fd) } }
    for stream: Int32 in 0...2 {
      var ends: [Int32] = [-1, -1]
      guard unsafe pipe(&ends) == 0 else { throw Failure(description: "no pipe") }
      for fd in ends { _ = fcntl(fd, F_SETFD, FD_CLOEXEC) }
      theirs.append(ends[stream == 0 ? 0 : 1])
      ours.append(ends[stream == 0 ? 1 : 0])
      unsafe posix_spawn_file_actions_adddup2(&actions, theirs[Int(stream)], stream)
    }
    var pointers = unsafe words.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let result = unsafe posix_spawnp(&pid, "env", &actions, &attributes, pointers, environ)
    guard result == 0 else {
      for fd in ours { close(fd) }
      throw Failure(description: "cannot start \(words): errno \(result)")
    }
    return (pid, ours)
  }

  /// Threads of the test library block signals, which a child would inherit.
  private static func signalAttributes() -> posix_spawnattr_t {
    var attributes = posix_spawnattr_t()
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_init(&attributes)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    return attributes
  }

  deinit {
    if !isReaped {
      kill(pid, SIGKILL)
      var status: Int32 = 0
      unsafe waitpid(pid, &status, 0)
    }
    for fd in [input, output, errors] where fd >= 0 { close(fd) }
  }

  // MARK: Talking

  /// Gives it all of `text` on its standard input.
  func write(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(input, $0.baseAddress, $0.count)
      }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if written < 0, errno == EPIPE {
        return  // it does not read: that is its right
      } else {
        try wait(forRoom: true)
      }
    }
  }

  /// Ends its standard input.
  func endInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// The next line of its standard output, without its end.
  func readLine() throws -> String {
    while true {
      if let end = outputBytes.firstIndex(of: UInt8(ascii: "\n")) {
        defer { outputBytes.removeSubrange(...end) }
        return String(decoding: outputBytes[..<end], as: UTF8.self)
      }
      if output < 0 { throw Failure(description: "no line; standard error: \(errorText)") }
      try wait(forRoom: false)
    }
  }

  /// Waits until it has closed its output, then for its end.
  func finish() throws -> Result {
    endInput()
    while output >= 0 || errors >= 0 { try wait(forRoom: false) }
    var status: Int32 = 0
    unsafe waitpid(pid, &status, 0)
    isReaped = true
    var result = Result(output: String(decoding: outputBytes, as: UTF8.self), errors: errorText)
    if status & 0x7F == 0 {
      result.code = (status >> 8) & 0xFF
    } else {
      result.signal = status & 0x7F
    }
    return result
  }

  func signal(_ number: Int32) { kill(pid, number) }

  /// Ends it with a signal, for a program that has no end of its own.
  func stop(_ number: Int32 = SIGTERM) throws -> Result {
    signal(number)
    return try finish()
  }

  // MARK: Inside

  private var errorText: String { String(decoding: errorBytes, as: UTF8.self) }

  /// Waits for output, or for room in its input, and takes what is there.
  private func wait(forRoom: Bool) throws {
    var polls = [
      pollfd(fd: output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
      pollfd(fd: forRoom ? input : -1, events: Int16(POLLOUT), revents: 0),
    ]
    let left = deadline - Self.now()
    guard left > 0, unsafe poll(&polls, 3, Int32(left)) != 0 else {
      kill(pid, SIGKILL)
      let printed = String(decoding: outputBytes, as: UTF8.self)
      throw Failure(description: "took too long; it printed: \(printed)\(errorText)")
    }
    if polls[0].revents != 0 { Self.take(&output, &outputBytes) }
    if polls[1].revents != 0 { Self.take(&errors, &errorBytes) }
  }

  private static func take(_ fd: inout Int32, _ bytes: inout [UInt8]) {
    var block = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe block.withUnsafeMutableBytes { unsafe read(fd, $0.baseAddress, $0.count) }
    if count > 0 { return bytes += block[..<count] }
    if count < 0, errno == EINTR { return }
    close(fd)
    fd = -1
  }

  /// Monotonic milliseconds.
  private static func now() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  /// This process's own, without what would change what Lua does.
  private static func environment(with changes: [String: String]) -> [String] {
    let names = ["PATH", "HOME", "LANG", "ASAN_OPTIONS", "TSAN_OPTIONS"]
    let own = ProcessInfo.processInfo.environment
    let kept = names.compactMap { name in own[name].map { "\(name)=\($0)" } }
    return kept + changes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }
}
