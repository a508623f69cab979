import Foundation
import Testing

/// Calls of the kernel that fail, are interrupted, or say what they never say by themselves.
@Suite(.enabled(if: Strace.isPermitted, "a process may not trace another here"))
struct `System calls that fail` {
  private static let folder = "Tests/CommandTests/faults/"

  // MARK: accept

  /// Errors of the connection that was about to be accepted, and errors for want of something.
  @Test(arguments: [
    "ECONNABORTED", "EPROTO", "ENETDOWN", "ENOPROTOOPT", "EHOSTDOWN", "ENONET", "EHOSTUNREACH",
    "EOPNOTSUPP", "ENETUNREACH", "EINTR", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EPERM",
  ])
  func `no errno of accept4 loses a client`(name: String) throws {
    let run = try Strace(
      ["accept4:error=\(name):when=2+3"], trace: "accept4", Self.folder + "serve.lua")
    #expect(run.result.output == "served 100\n", "\(run.result.errors)")
    #expect(run.result.code == 0)
    #expect(run.faultCount > 30)
  }

  @Test(arguments: ["EBADF", "EFAULT", "EINVAL", "ENOTSOCK"])
  func `a listener that is none any more ends its server`(name: String) throws {
    let run = try Strace(
      ["accept4:error=\(name):when=5"], trace: "accept4", Self.folder + "serve.lua")
    #expect(run.result.errors.contains("serve ended: "), "\(run.result)")
    #expect(run.result.errors.contains(name))
    #expect(run.result.code == 1)
    #expect(run.faultCount == 1)
  }

  // MARK: Interrupted calls

  /// Scripts that count turns or need a certain speed are left out.
  private static let interruptible = Paths.scripts("scripts/tests").filter { path in
    let parts = [
      "finalizers", "io_order", "io_read", "io_write", "misuse.", "net_", "os_", "registration_",
      "task_", "wait_",
    ]
    return parts.contains { path.hasPrefix("scripts/tests/" + $0) }
  }

  /// The first calls are the dynamic linker's, which takes no interruption.
  @Test(arguments: interruptible)
  func `no script notices that its calls are interrupted`(script: String) throws {
    let early = "recvfrom,recvmsg,sendto,sendmsg,accept4,epoll_wait,epoll_pwait2,pwritev2,poll"
    let late = "read,write,newfstatat,openat"
    let run = try Strace(
      ["\(early):error=EINTR:when=2+2", "\(late):error=EINTR:when=120+2"],
      trace: early + "," + late, script)
    #expect(run.result.errors == "", "\(run.result.output)")
    #expect(run.result.code == 0)
  }

  /// It goes on by itself, and must not be made again. strace does not make it at all, so that it
  /// never ends well.
  @Test func `a connect that is interrupted is waited for`() throws {
    let script = """
      local net = require "reactor.net"
      local listener = net.listen "127.0.0.1:0"
      print(net.connect(listener:address()))
      print(net.connect(listener:address(), { timeout = 5 }))
      """
    let run = try Strace(
      ["connect:error=EINTR:when=1"], trace: "connect", "-", input: script)
    let lines = run.result.output.split(separator: "\n")
    #expect(lines.first == "nil\tnot connected\tENOTCONN")
    #expect(lines.last?.hasPrefix("connection (fd") == true)
    #expect(run.calls.count { $0.hasPrefix("connect(") } == 2)
  }

  @Test func `being stopped and continued all the time changes nothing`() throws {
    let child = try Child(Paths.command, [Self.folder + "serve.lua", "300"])
    for _ in 0..<300 {
      child.signal(SIGSTOP)
      child.signal(SIGCONT)
    }
    let result = try child.finish()
    #expect(result.output == "served 300\n", "\(result.errors)")
  }

  // MARK: close

  /// The number is free whatever close answers: a second close could hit somebody else's. As
  /// strace does not make the call at all, no number comes twice here.
  @Test(arguments: ["EINTR", "EIO", "ENOSPC", "EDQUOT"])
  func `a close that fails is never made again`(name: String) throws {
    let script = Self.folder + "everything.lua"
    let first = try Strace.count(["close"], script, input: "a line\n")[0].atStart + 1
    let run = try Strace(
      ["close:error=\(name):when=\(first)+"], trace: "close", script, "leaks", input: "a line\n")
    #expect(run.result.output.hasSuffix("done\n"), "\(run.result.errors)")
    let closed = run.calls.filter { $0.hasPrefix("close(") && $0.hasSuffix("(INJECTED)") }
    #expect(closed.count > 50)
    let numbers = closed.map { $0.prefix { $0 != ")" } }
    #expect(Set(numbers).count == numbers.count, "\(closed)")
  }

  // MARK: epoll

  @Test(arguments: ["ENOSPC", "ENOMEM"])
  func `what epoll does not take is an error of the call, and leaks nothing`(name: String) throws {
    // The first registration is the kernel's own.
    let run = try Strace(
      ["epoll_ctl:error=\(name):when=2"], trace: "epoll_ctl", "-",
      input: """
        local reactor, sys = require "reactor", require "reactor.sys"
        local here, there = sys.socketpair()
        print(select(3, reactor.register(here)))
        assert(reactor.metrics().registrations == 0 and reactor.metrics().registered == 0)
        local reg = assert(reactor.register(here))
        sys.write(there, "x")
        print(reg:read_io(sys.read, here))
        """)
    #expect(run.result.output == "\(name)\nx\n", "\(run.result.errors)")
  }

  @Test func `a kernel that forbids epoll_pwait2 is waited with in milliseconds`() throws {
    for name in ["ENOSYS", "EPERM"] {
      let run = try Strace(
        ["epoll_pwait2:error=\(name)"], trace: "epoll_pwait2", "-e",
        "require 'reactor.time'.sleep(0.0001) print 'slept'")
      #expect(run.result.output == "slept\n", "\(run.result.errors)")
      #expect(run.faultCount == 1)
    }
  }

  // MARK: Everything

  /// The calls that a script of ours makes, except those for memory: Swift ends without it.
  private static let all = [
    "accept4", "bind", "clone3", "close", "connect", "epoll_create1", "epoll_ctl", "epoll_pwait2",
    "epoll_wait", "eventfd2", "fcntl", "getpeername", "getsockname", "getsockopt", "ioctl",
    "listen", "lseek", "newfstatat", "openat", "pipe2", "poll", "pwritev2", "read", "recvfrom",
    "recvmsg", "rename", "rt_sigprocmask", "sendmsg", "sendto", "setsockopt", "shutdown", "socket",
    "socketpair", "unlink", "write",
  ]
  /// Those of which the first is ours, not the dynamic linker's.
  private static let ours: Set = ["epoll_create1", "epoll_ctl", "eventfd2", "fcntl"]
  private static let errors = ["EIO", "ENOMEM", "EPERM", "ENOBUFS"]

  /// LUAREACT_FAULTS=all lets each of the first 50 of every call fail in four ways; otherwise it
  /// is one of ten.
  @Test func `any call may fail: an answer, an error or success, never a crash or a hang`()
    throws
  {
    let everyOne = ProcessInfo.processInfo.environment["LUAREACT_FAULTS"] == "all"
    let script = Self.folder + "everything.lua"
    var turn = 0
    var faults = 0
    for (name, atStart, all) in try Strace.count(Self.all, script, input: "a line\n") {
      #expect(all > 0, "\(name) is not made")
      let first = Self.ours.contains(name) ? 1 : atStart + 1
      for number in first..<max(first + 1, min(all + 1, first + 50)) {
        for error in Self.errors {
          turn += 1
          if !everyOne, turn % 23 != 0, number != first || error != "EIO" { continue }
          let fault = "\(name):error=\(error):when=\(number)"
          // A close that is not made leaves a descriptor.
          let run = try Strace(
            [fault], trace: name, script, name == "close" ? "leaks" : "", input: "a line\n")
          faults += run.faultCount
          let isDone = run.result.code == 0
          let isTold =
            [1, 2].contains(run.result.code) && run.result.errors.hasPrefix("luareact: ")
          #expect(isDone || isTold, "\(fault): \(run.result)")
          #expect(!run.result.errors.contains("are left"), "\(fault): \(run.result.errors)")
        }
      }
    }
    #expect(faults > 60)
  }
}
