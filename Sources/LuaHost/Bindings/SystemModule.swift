import Glibc
import Reactor

/// `reactor.sys`: the raw non-blocking verbs on descriptors. Each answers its value, or
/// `nil, "again"`, or `nil, text, errno name`. The end of a file is the empty string.
enum SystemModule {
  static let functions: [Function] = unsafe [
    Function("socket", "ssi?", socket),
    Function("socketpair", "s?s?", socketPair),
    Function("pipe", "", pipe),
    Function("bind", "is", bind),
    Function("listen", "ii?", listen),
    Function("accept", "i", accept),
    Function("connect", "is", connect),
    Function("read", "ii?", read),
    Function("write", "is", write),
    Function("recv", "ii?s?", receive),
    Function("send", "iss?", send),
    Function("recvmsg", "ii?s?", receiveMessage),
    Function("sendmsg", "iss?s?*", sendMessage),
    Function("shutdown", "is?", shutdown),
    Function("close", "i", close),
    Function("getsockopt", "is", getOption),
    Function("setsockopt", "isi", setOption),
    Function("getsockname", "i", localName),
    Function("getpeername", "i", peerName),
    Function("dup", "i", duplicate),
    Function("isatty", "i", isTerminal),
  ]

  private static func fd(_ call: Call, _ index: Int = 0) -> Int32 {
    Int32(exactly: call.integer(index)) ?? -1
  }

  private static func finish(_ call: Call, _ result: Int) -> Int32 {
    if result >= 0 { return call.answer(result) }
    return failed(call, result)
  }

  private static func failed(_ call: Call, _ result: Int) -> Int32 {
    let code = Int32(truncatingIfNeeded: -result)
    if code == EAGAIN || code == EINPROGRESS { return call.fail("again") }
    return call.fail(code: code)
  }

  /// Answers descriptors that a verb has made; the first may be `-errno`.
  private static func made(_ call: Call, _ descriptors: Int32...) -> Int32 {
    if let first = descriptors.first, first < 0 { return failed(call, Int(first)) }
    note(descriptors, call)
    for fd in descriptors { call.push(Int(fd)) }
    return call.done
  }

  /// Tests want to know where a descriptor was made that nobody has closed.
  private static func note(_ descriptors: [Int32], _ call: Call) {
    guard call.host.testWatch != nil else { return }
    for fd in descriptors { call.host.testWatch?.made(fd, call.site) }
  }

  private static func succeed(_ call: Call, _ result: Int32) -> Int32 {
    result < 0 ? failed(call, Int(result)) : call.answer(true)
  }

  private static func family(_ call: Call, _ index: Int) -> Int32? {
    switch call.isNil(index) ? "unix" : call.text(index) {
    case "inet", "inet4": AF_INET
    case "inet6": AF_INET6
    case "unix": AF_UNIX
    case "netlink": AF_NETLINK
    case "packet": AF_PACKET
    default: nil
    }
  }

  private static func kind(_ call: Call, _ index: Int) -> Int32? {
    switch call.isNil(index) ? "stream" : call.text(index) {
    case "stream": SocketKind.stream
    case "dgram": SocketKind.datagram
    case "seqpacket": SocketKind.sequencedPacket
    case "raw": 3
    default: nil
    }
  }

  private static let families =
    "family must be \"inet\", \"inet6\", \"unix\", \"netlink\" or \"packet\""
  private static let kinds = "type must be \"stream\", \"dgram\", \"seqpacket\" or \"raw\""

  /// socket(family, type [, protocol]) -> fd
  static let socket: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let family = family(call, 0) else { return call.badArgument(0, families) }
    guard let kind = kind(call, 1) else { return call.badArgument(1, kinds) }
    let number = Int32(clamping: call.integer(2, or: 0))
    return made(call, call.host.kernel.socket(family, kind, number))
  }

  /// socketpair([family [, type]]) -> fd, fd
  static let socketPair: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let family = family(call, 0) else { return call.badArgument(0, families) }
    guard let kind = kind(call, 1) else { return call.badArgument(1, kinds) }
    var first: Int32 = -1
    var second: Int32 = -1
    let result = call.host.kernel.socketPair(family, kind, 0, &first, &second)
    if result < 0 { return failed(call, Int(result)) }
    return made(call, first, second)
  }

  /// pipe() -> read end, write end
  static let pipe: Leaf = { raw in
    let call = unsafe Call(raw)
    var readEnd: Int32 = -1
    var writeEnd: Int32 = -1
    let result = call.host.kernel.pipe(&readEnd, &writeEnd)
    if result < 0 { return failed(call, Int(result)) }
    return made(call, readEnd, writeEnd)
  }

  static let bind: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let address = NetModule.parse(call, 1) else {
      return call.fail("invalid address", "EINVAL")
    }
    return succeed(call, call.host.kernel.bind(fd(call), address))
  }

  static let listen: Leaf = { raw in
    let call = unsafe Call(raw)
    let backlog = Int32(clamping: call.integer(1, or: 4096))
    return succeed(call, call.host.kernel.listen(fd(call), backlog: backlog))
  }

  /// accept(fd) -> fd, peer
  static let accept: Leaf = { raw in
    let call = unsafe Call(raw)
    var peer = SocketAddress()
    let result = call.host.kernel.accept(fd(call), &peer)
    if result < 0 { return failed(call, Int(result)) }
    unsafe call.host.core.expectCommit(call, descriptors: [Int32(result)])
    _ = made(call, result)
    return call.answer(peer.description)
  }

  static let connect: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let address = NetModule.parse(call, 1) else {
      return call.fail("invalid address", "EINVAL")
    }
    return succeed(call, call.host.kernel.connect(fd(call), address))
  }

  // MARK: Transfers

  private static func room(_ call: Call, _ index: Int) -> UnsafeMutableRawBufferPointer {
    unsafe call.host.core.settle()
    let wanted = call.integer(index, or: Int64(ConnectionModule.readLimit))
    let count = min(max(Int(truncatingIfNeeded: wanted), 0), ConnectionModule.readLimit)
    return unsafe UnsafeMutableRawBufferPointer(rebasing: call.host.scratch[..<count])
  }

  private static func bytes(
    _ call: Call, _ result: Int, _ room: UnsafeMutableRawBufferPointer
  ) -> Int32 {
    if result < 0 { return failed(call, result) }
    return unsafe call.answer(UnsafeRawBufferPointer(rebasing: room[..<min(result, room.count)]))
  }

  /// read(fd [, n]) -> bytes; "" at the end
  static let read: Leaf = { raw in
    let call = unsafe Call(raw)
    let room = unsafe room(call, 1)
    return unsafe bytes(call, call.host.kernel.read(fd(call), room), room)
  }

  static let write: Leaf = { raw in
    let call = unsafe Call(raw)
    return unsafe finish(call, call.host.kernel.write(fd(call), call.bytes(1)))
  }

  /// Reads flags such as "oob,peek". nil: an unknown one.
  private static func flags(_ call: Call, _ index: Int) -> Int32? {
    if call.isNil(index) { return 0 }
    var flags: Int32 = 0
    for name in call.text(index).split(separator: ",") {
      switch name {
      case "oob": flags |= Int32(MSG_OOB)
      case "peek": flags |= Int32(MSG_PEEK)
      case "more": flags |= Int32(MSG_MORE)
      case "errqueue": flags |= Int32(MSG_ERRQUEUE)
      case "trunc": flags |= Int32(MSG_TRUNC)
      default: return nil
      }
    }
    return flags
  }
  private static let flagNames = "flags are \"oob\", \"peek\", \"more\", \"errqueue\", \"trunc\""

  static let receive: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let flags = flags(call, 2) else { return call.badArgument(2, flagNames) }
    let room = unsafe room(call, 1)
    return unsafe bytes(call, call.host.kernel.receive(fd(call), room, flags: flags), room)
  }

  static let send: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let flags = flags(call, 2) else { return call.badArgument(2, flagNames) }
    return unsafe finish(call, call.host.kernel.send(fd(call), call.bytes(1), flags: flags))
  }

  /// recvmsg(fd [, n [, flags]]) -> bytes, sender, descriptors
  static let receiveMessage: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let flags = flags(call, 2) else { return call.badArgument(2, flagNames) }
    let room = unsafe room(call, 1)
    var message = Message()
    let result = unsafe call.host.kernel.receiveMessage(fd(call), room, flags: flags, &message)
    if result < 0 { return failed(call, result) }
    unsafe call.push(UnsafeRawBufferPointer(rebasing: room[..<min(result, room.count)]))
    if let address = message.address { call.push(address.description) } else { call.push() }
    unsafe call.host.core.expectCommit(call, descriptors: message.descriptors)
    note(message.descriptors, call)
    call.push(.list(message.descriptors.map { .integer(Int64($0)) }))
    return call.done
  }

  /// sendmsg(fd, bytes [, address [, flags]], descriptors…) -> bytes
  static let sendMessage: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let flags = flags(call, 3) else { return call.badArgument(3, flagNames) }
    var message = Message()
    if !call.isNil(2) {
      guard let address = NetModule.parse(call, 2) else {
        return call.fail("invalid address", "EINVAL")
      }
      message.address = address
    }
    for index in 4..<max(call.count, 4) {
      guard case .integer(let number) = call.plain(index), let fd = Int32(exactly: number) else {
        return call.badArgument(index, "not a descriptor")
      }
      message.descriptors.append(fd)
    }
    let result = unsafe call.host.kernel.sendMessage(fd(call), call.bytes(1), flags: flags, message)
    return finish(call, result)
  }

  // MARK: The rest

  static let shutdown: Leaf = { raw in
    let call = unsafe Call(raw)
    let how: Int32
    switch call.isNil(1) ? "rw" : call.text(1) {
    case "r": how = 0
    case "w": how = 1
    case "rw": how = 2
    default: return call.badArgument(1, "direction must be \"r\", \"w\" or \"rw\"")
    }
    return succeed(call, call.host.kernel.shutdown(fd(call), how: how))
  }

  static let close: Leaf = { raw in
    let call = unsafe Call(raw)
    call.host.testWatch?.closed(fd(call))
    return succeed(call, call.host.kernel.close(fd(call)))
  }

  static let getOption: Leaf = { raw in
    return unsafe SocketOption.read(Call(raw), fd: Int32(exactly: Call(raw).integer(0)) ?? -1)
  }

  static let setOption: Leaf = { raw in
    return unsafe SocketOption.write(Call(raw), fd: Int32(exactly: Call(raw).integer(0)) ?? -1)
  }

  static let localName: Leaf = { raw in
    let call = unsafe Call(raw)
    var address = SocketAddress()
    let result = call.host.kernel.localAddress(fd(call), &address)
    return result < 0 ? failed(call, Int(result)) : call.answer(address.description)
  }

  static let peerName: Leaf = { raw in
    let call = unsafe Call(raw)
    var address = SocketAddress()
    let result = call.host.kernel.peerAddress(fd(call), &address)
    return result < 0 ? failed(call, Int(result)) : call.answer(address.description)
  }

  static let duplicate: Leaf = { raw in
    let call = unsafe Call(raw)
    return made(call, call.host.kernel.duplicate(fd(call)))
  }

  static let isTerminal: Leaf = { raw in
    let call = unsafe Call(raw)
    var kind = DescriptorKind.other
    return call.answer(call.host.kernel.kind(fd(call), &kind) == 0 && kind == .terminal)
  }
}
