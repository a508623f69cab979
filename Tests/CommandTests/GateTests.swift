import Foundation
import Testing

/// What the object files and the sources say about who may know whom.
@Suite struct `The barrier` {
  /// An object file of a Swift source, and the symbols that it takes from elsewhere.
  struct Object {
    let module: String
    let name: String
    let symbols: Set<String>
  }

  /// libc's sockets, clocks, random numbers, files and processes, under all their names.
  private static let libc: Set<String> = [
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recv", "recvfrom", "recvmmsg", "recvmsg", "send", "sendfile", "sendmmsg", "sendmsg", "sendto",
    "setsockopt", "shutdown", "socket", "socketpair", "getaddrinfo", "freeaddrinfo",
    "gai_strerror", "getnameinfo", "gethostbyname", "if_indextoname", "if_nametoindex",
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd", "poll",
    "ppoll", "select", "signalfd", "timerfd_create", "inotify_init1", "pidfd_open",
    "clock", "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep",
    "sleep", "time", "usleep", "localtime_r", "gmtime_r", "mktime",
    "arc4random", "arc4random_buf", "drand48", "getentropy", "getrandom", "rand", "random",
    "access", "chdir", "close", "close_range", "closedir", "creat", "dup", "dup2", "dup3", "fcntl",
    "fdatasync", "fdopen", "fdopendir", "fopen", "freopen", "fstat", "fstatat", "fsync",
    "ftruncate", "ftruncate64", "getcwd", "getdents64", "ioctl", "isatty", "link", "lseek",
    "lseek64", "lstat", "mkdir", "mkostemp", "mkstemp", "open", "open64", "openat", "openat64",
    "opendir", "pipe", "pipe2", "pread", "pread64", "pwrite", "pwrite64", "read", "readdir",
    "readdir64", "readlink", "readv", "realpath", "remove", "rename", "renameat2", "rmdir", "stat",
    "statx", "symlink", "tmpfile", "truncate", "unlink", "unlinkat", "write", "writev",
    "fread", "fwrite", "fputs", "puts", "printf", "fprintf", "getline", "fflush",
    "execve", "execvp", "fork", "kill", "popen", "posix_spawn", "posix_spawnp", "system", "vfork",
    "wait", "wait4", "waitid", "waitpid", "signal", "sigaction", "getenv", "secure_getenv",
    "pthread_create",
  ]

  /// The objects of a module, of sources that are still there.
  private func objects(of module: String, in sources: String) throws -> [Object] {
    let build = URL(fileURLWithPath: Paths.command).deletingLastPathComponent()
    let folder = build.appendingPathComponent(module + ".build").path
    let present = Set(
      try FileManager.default.subpathsOfDirectory(atPath: Paths.root + "/" + sources)
        .map { URL(fileURLWithPath: $0).lastPathComponent })
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    return try names.filter { $0.hasSuffix(".swift.o") && present.contains(String($0.dropLast(2))) }
      .map { name in
        let result = try run("nm", ["--undefined-only", "--format=posix", folder + "/" + name])
        #expect(result.code == 0, "\(result.errors)")
        let symbols = result.output.split(separator: "\n").compactMap { line in
          line.split(separator: " ").first.map(String.init)
        }
        return Object(module: module, name: name, symbols: Set(symbols))
      }
  }

  private func allObjects() throws -> [Object] {
    let all = try ["Reactor", "LuaHost", "luareact"].flatMap { module in
      try objects(of: module, in: "Sources/" + module)
    }
    #expect(all.count > 60, "the objects are somewhere else")
    return all
  }

  @Test func `no Swift object refers to the Lua library`() throws {
    for object in try allObjects() {
      let found = object.symbols.filter { $0.hasPrefix("lua") }
      #expect(found.isEmpty, "\(object.module)/\(object.name): \(found.sorted())")
    }
  }

  /// The command is left out: it reads its script before there is a kernel.
  @Test func `no Swift object of the libraries refers to libc's input and output`() throws {
    for object in try allObjects() where object.module != "luareact" {
      let found = object.symbols.intersection(Self.libc)
      #expect(found.isEmpty, "\(object.module)/\(object.name): \(found.sorted())")
    }
  }

  @Test func `only Reactor's System folder calls CLinux`() throws {
    let folder = Paths.root + "/Sources/Reactor/System"
    let system = Set(
      try FileManager.default.contentsOfDirectory(atPath: folder).map { $0 + ".o" })
    for object in try allObjects() where !system.contains(object.name) {
      let found = object.symbols.filter { $0.hasPrefix("linux_") }
      #expect(found.isEmpty, "\(object.module)/\(object.name): \(found.sorted())")
    }
  }

  @Test func `no file but CLua's own includes the headers of Lua`() throws {
    let sources = Paths.root + "/Sources"
    let header = /#\s*(include|import)\s*[<"](lua5\.4\/)?(lua|lauxlib|lualib|luaconf)\.h(pp)?[>"]/
    var including: [String] = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources).sorted() {
      guard path.hasSuffix(".c") || path.hasSuffix(".h") || path.hasSuffix(".modulemap"),
        let text = try? String(contentsOfFile: sources + "/" + path, encoding: .utf8),
        text.contains(header)
      else { continue }
      including.append(path)
    }
    #expect(including.allSatisfy { $0.hasPrefix("CLua/") && !$0.hasPrefix("CLua/include/") })
    #expect(!including.isEmpty)
  }

  @Test func `the command links the C library of Lua, not the one that throws`() throws {
    let result = try run("readelf", ["--dynamic", "--wide", Paths.command])
    #expect(result.output.contains("[liblua5.4.so.0]"))
    #expect(!result.output.contains("liblua5.4-c++"))
    let loaded = try run("ldd", [Paths.command])
    #expect(loaded.code == 0 && !loaded.output.contains("liblua5.4-c++"), "\(loaded.errors)")
  }
}
