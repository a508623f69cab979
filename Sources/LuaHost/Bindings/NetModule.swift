import CLua
import Glibc
import Reactor

/// `reactor.net` below its Lua part: listeners, connects in steps, names, UDP.
enum NetModule {
  static let functions: [Function] = unsafe [
    Function("listen", "si?b", listen),
    Function("accept", "ht?b", waits: true, method: .listener, accept),
    Function("close", "h", method: .listener, ConnectionModule.close),
    Function("__close", "h", method: .listener, ConnectionModule.close),
    Function("address", "h", method: .listener, listenerAddress),
    Function("fd", "h", method: .listener, listenerFD),
    Function("connect_start", "ss?", connectStart),
    Function("connect_finish", "ht?", waits: true, method: .connection, connectFinish),
    Function("resolve_start", "ss", resolveStart),
    Function("resolve_finish", "ht?", waits: true, method: .lookup, resolveFinish),
    Function("close", "h", method: .lookup, ConnectionModule.close),
    Function("__close", "h", method: .lookup, ConnectionModule.close),
    Function("numeric", "s", numeric),
  ]

  /// A task that accepts takes 16 connections in a turn.
  private static let acceptOperations = Int(LR_BUDGET) / 16

  /// Parses an address argument, or answers what is wrong with it.
  static func parse(_ call: Call, _ index: Int) -> SocketAddress? {
    try? SocketAddress(parsing: call.text(index))
  }

  /// numeric(text): whether it is an address that needs no look-up.
  static let numeric: Leaf = { raw in
    let call = unsafe Call(raw)
    return call.answer(parse(call, 0) != nil)
  }

  // MARK: Listening

  /// listen(address [, backlog [, reuseport]]) -> listener
  static let listen: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let address = parse(call, 0) else {
      return call.fail("invalid address", "EINVAL")
    }
    let host = call.host
    let kernel = host.kernel
    let fd = kernel.socket(address.family, SocketKind.stream, 0)
    if fd < 0 { return call.fail(code: -fd) }
    var result: Int32 = 0
    if !address.isUnix {
      result = kernel.setFlag(fd, level: SOL_SOCKET, name: SO_REUSEADDR)
      if result == 0, call.isTrue(2) {
        result = kernel.setFlag(fd, level: SOL_SOCKET, name: SO_REUSEPORT)
      }
    }
    let backlog = call.integer(1, or: 4096)
    if result == 0 { result = kernel.bind(fd, address) }
    if result == 0 { result = kernel.listen(fd, backlog: Int32(clamping: backlog)) }
    if result < 0 {
      _ = kernel.close(fd)
      return call.fail(code: -result)
    }
    return host.adopt(call, fd, .read) { registration in
      let listener = Listener(registration: registration)
      listener.site = call.site
      return (host.objects.insert(listener, .listener), .listener)
    }
  }

  /// listener:accept([timeout [, quiet]]) -> connection, peer (unless quiet)
  ///
  /// Counts as several operations: a connection taken costs what several messages cost.
  static let accept: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    guard let listener = host.objects.find(call.handle(), .listener, as: Listener.self) else {
      return call.fail("closed")
    }
    var peer = SocketAddress()
    switch listener.accept(&peer, call.caller(timeout: 1)) {
    case .done(let fd):
      call.spend(operations: acceptOperations - 1)
      let outcome = host.adoptStream(
        call, Int32(truncatingIfNeeded: fd), isUnix: peer.isUnix)
      if unsafe raw.pointee.result_count == 1, !call.isTrue(2) { call.push(peer.description) }
      return outcome
    case .parked: return call.parked
    case .failed(let code): return call.fail(code: code)
    case .ended(let reason): return call.end(reason)
    }
  }

  static let listenerAddress: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    guard let listener = host.objects.find(call.handle(), .listener, as: Listener.self) else {
      return call.fail("closed")
    }
    var address = SocketAddress()
    let result = host.kernel.localAddress(listener.registration.fd, &address)
    return result < 0 ? call.fail(code: -result) : call.answer(address.description)
  }

  static let listenerFD: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let listener = call.host.objects.find(call.handle(), .listener, as: Listener.self)
    else { return call.fail("closed") }
    return call.answer(Int(listener.registration.fd))
  }

  // MARK: Connecting

  /// connect_start(address [, local]) -> connection that is not finished
  static let connectStart: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let address = parse(call, 0) else { return call.fail("invalid address", "EINVAL") }
    let host = call.host
    let kernel = host.kernel
    let fd = kernel.socket(address.family, SocketKind.stream, 0)
    if fd < 0 { return call.fail(code: -fd) }
    var result: Int32 = 0
    if !call.isNil(1) {
      guard let local = parse(call, 1) else {
        _ = kernel.close(fd)
        return call.fail("invalid local address", "EINVAL")
      }
      result = kernel.bind(fd, local)
    }
    if result == 0 { result = kernel.connect(fd, address) }
    if result < 0, result != -EINPROGRESS {
      _ = kernel.close(fd)
      return call.fail(code: -result)
    }
    return host.adoptStream(call, fd, isUnix: address.isUnix)
  }

  /// connection:connect_finish([timeout]) -> true. A failure closes the connection.
  static let connectFinish: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let stream = unsafe call.stream else { return call.fail("closed") }
    let kernel = call.host.kernel
    let attempt = unsafe call.host.driver.finishConnect(stream, call.caller(timeout: 1)) { fd in
      let result = Self.connectResult(kernel, fd)
      // A socket that hung up does not go on to connect.
      let isOver = unsafe stream.pointee.io.pointee.ready.contains(.writeClosed)
      return result == -EAGAIN && isOver ? -ENOTCONN : result
    }
    switch attempt {
    case .done: return call.answer(true)
    case .parked: return call.parked
    case .failed(let code):
      _ = call.host.close(call.handle())
      return call.fail(code: code)
    case .ended(let reason):
      _ = call.host.close(call.handle())
      return call.end(reason)
    }
  }

  /// 0 when connected, else `-errno`. A socket that got connected to itself counts as refused.
  private static func connectResult(_ kernel: Kernel, _ fd: Int32) -> Int32 {
    var code: Int32 = 0
    let result = unsafe withUnsafeMutableBytes(of: &code) {
      unsafe kernel.option(fd, level: SOL_SOCKET, name: SO_ERROR, $0)
    }
    if result < 0 { return result }
    if code != 0 { return -code }
    var local = SocketAddress()
    var peer = SocketAddress()
    let named = kernel.peerAddress(fd, &peer)
    if named == -ENOTCONN { return -EAGAIN }
    if named < 0 { return named }
    if !peer.isUnix, kernel.localAddress(fd, &local) == 0,
      local == peer
    {
      return -ECONNREFUSED
    }
    return 0
  }

  // MARK: Names

  /// resolve_start(host, service) -> lookup
  static let resolveStart: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    let registration: Registration
    do throws(SystemError) {
      registration = try host.driver.registerCompletion()
    } catch {
      return call.fail(code: error.code)
    }
    let result = host.kernel.resolve(
      call.text(0), service: call.text(1), token: registration.token)
    if result < 0 {
      registration.deregister()
      return call.fail(code: -result)
    }
    let (slot, generation) = host.objects.insert(Lookup(registration), .lookup)
    call.push(handle: slot, generation, of: .lookup)
    return call.done
  }

  /// lookup:resolve_finish([timeout]) -> list of addresses
  static let resolveFinish: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    guard let lookup = host.objects.find(call.handle(), .lookup, as: Lookup.self) else {
      return call.fail("closed")
    }
    var resolution: Resolution?
    let caller = call.caller(timeout: 1)
    let attempt = lookup.registration.attempt(.read, wanted: 0, caller) { _ in
      resolution = host.kernel.takeResolved(token: lookup.registration.token)
      return resolution == nil ? -Int(EAGAIN) : 0
    }
    switch attempt {
    case .parked: return call.parked
    case .failed(let code): return call.fail(code: code)
    case .ended(let reason): return call.end(reason)
    case .done:
      switch resolution {
      case .addresses(let addresses)?:
        call.push(.list(addresses.map { .text($0.description) }))
        return call.done
      case .failure(let name, let text)?: return call.fail(text, name)
      case nil: return call.fail("closed")
      }
    }
  }
}

/// A name look-up under way.
final class Lookup: HandleObject {
  let registration: Registration
  let site: UInt32 = 0

  init(_ registration: Registration) { self.registration = registration }

  // Dropping one is no mistake of the script: only the library makes them.
  var isOpen: Bool { false }
  func describe() -> String { "lookup" }

  func close() {
    guard registration.isLive else { return }
    registration.driver.kernel.cancelResolve(token: registration.token)
    registration.deregister()
  }
}

extension Listener: HandleObject {
  func describe() -> String {
    isOpen ? "listener (fd \(registration.fd), open)" : "listener (closed)"
  }

  static let describeLeaf: Leaf = { raw in
    let call = unsafe Call(raw)
    let listener = call.host.objects.find(call.handle(), .listener, as: Listener.self)
    return call.answer(listener?.describe() ?? "listener (closed)")
  }
}

/// Kinds of sockets, as Linux numbers them.
enum SocketKind {
  static let stream: Int32 = 1
  static let datagram: Int32 = 2
  static let sequencedPacket: Int32 = 5
}

extension Kernel {
  func setFlag(_ fd: Int32, level: Int32, name: Int32, _ value: Int32 = 1) -> Int32 {
    var value = value
    return unsafe withUnsafeBytes(of: &value) { unsafe setOption(fd, level: level, name: name, $0) }
  }
}

extension LuaHost {
  /// Registers a descriptor that was just made, or closes it and answers why not.
  func adopt(
    _ call: Call, _ fd: Int32, _ interest: Interest, _ traits: ScheduledIO.Traits = [],
    _ make: (Registration) -> (ObjectTable.Handle, HandleClass)
  ) -> Int32 {
    do throws(SystemError) {
      let registration = try driver.register(fd, interest, traits)
      let (handle, kind) = make(registration)
      call.push(handle: handle.slot, handle.generation, of: kind)
      return call.done
    } catch {
      _ = kernel.close(fd)
      return call.fail(code: error.code)
    }
  }

  func adoptStream(_ call: Call, _ fd: Int32, isUnix: Bool) -> Int32 {
    if !isUnix { _ = kernel.setFlag(fd, level: Int32(IPPROTO_TCP), name: TCP_NODELAY) }
    let traits = isUnix ? [.shortWriteMeansFull] : ScheduledIO.Traits.plainStream
    return adopt(call, fd, [.read, .write, .priority], traits) { registration in
      let stream = unsafe driver.makeStream(registration, .socket)
      unsafe stream.pointee.site = call.site
      return unsafe (objects.insert(stream), .connection)
    }
  }
}
