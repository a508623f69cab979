import Glibc
import Reactor

/// A UDP or Unix datagram socket of a script.
final class Datagram: HandleObject {
  let registration: Registration
  let site: UInt32

  init(registration: Registration, site: UInt32) {
    self.registration = registration
    self.site = site
  }

  var isOpen: Bool { registration.isLive }

  func describe() -> String {
    isOpen ? "UDP socket (fd \(registration.fd), open)" : "UDP socket (closed)"
  }

  func close() { registration.close() }
}

/// The methods of UDP sockets. One call carries one datagram.
enum DatagramModule {
  /// The longest datagram that `recv` takes, in bytes: more than UDP can carry.
  static let limit = 65_536

  static let functions: [Function] = unsafe [
    Function("udp", "s?s?", open),
    Function("send", "hss?t?", waits: true, method: .datagram, send),
    Function("recv", "ht?", waits: true, method: .datagram, receive),
    Function("connect", "hs", method: .datagram, connect),
    Function("address", "h", method: .datagram, address),
    Function("fd", "h", method: .datagram, fd),
    Function("close", "h", method: .datagram, ConnectionModule.close),
    Function("__close", "h", method: .datagram, ConnectionModule.close),
  ]

  static let describe: Leaf = { raw in
    let call = unsafe Call(raw)
    return call.answer(call.datagram?.describe() ?? "UDP socket (closed)")
  }

  /// udp([address [, peer]]) -> socket
  static let open: Leaf = { raw in
    let call = unsafe Call(raw)
    let host = call.host
    var local: SocketAddress?
    var peer: SocketAddress?
    if !call.isNil(0) {
      local = NetModule.parse(call, 0)
      if local == nil { return call.fail("invalid address", "EINVAL") }
    }
    if !call.isNil(1) {
      peer = NetModule.parse(call, 1)
      if peer == nil { return call.fail("invalid peer address", "EINVAL") }
    }
    let family = local?.family ?? peer?.family ?? AF_INET
    let fd = host.kernel.socket(family, SocketKind.datagram, 0)
    if fd < 0 { return call.fail(code: -fd) }
    var result: Int32 = 0
    if let local { result = host.kernel.bind(fd, local) }
    if result == 0, let peer { result = host.kernel.connect(fd, peer) }
    if result < 0 {
      _ = host.kernel.close(fd)
      return call.fail(code: -result)
    }
    return host.adopt(call, fd, [.read, .write]) {
      (host.objects.insert(Datagram(registration: $0, site: call.site), .datagram), .datagram)
    }
  }

  /// socket:send(data [, address [, timeout]]) -> bytes
  static let send: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let socket = call.datagram else { return call.fail("closed") }
    let kernel = call.host.kernel
    let data = unsafe call.bytes(1)
    var message = Message()
    if !call.isNil(2) {
      guard let address = NetModule.parse(call, 2) else {
        return call.fail("invalid address", "EINVAL")
      }
      message.address = address
    }
    let attempt = socket.registration.attempt(.write, wanted: 0, call.caller(timeout: 3)) { fd in
      unsafe message.address == nil
        ? kernel.send(fd, data, flags: 0)
        : kernel.sendMessage(fd, data, flags: 0, message)
    }
    switch attempt {
    case .done(let count):
      call.spend(bytes: count)
      return call.answer(count)
    case .parked: return call.parked
    case .failed(let code): return call.fail(code: code)
    case .ended(let reason): return call.end(reason)
    }
  }

  /// socket:recv([timeout]) -> data, address
  static let receive: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let socket = call.datagram else { return call.fail("closed") }
    let host = call.host
    unsafe host.core.settle()
    var message = Message()
    let attempt = socket.registration.attempt(.read, wanted: 0, call.caller(timeout: 1)) { fd in
      unsafe host.kernel.receiveMessage(fd, host.scratch, flags: 0, &message)
    }
    switch attempt {
    case .done(let count):
      unsafe call.push(UnsafeRawBufferPointer(rebasing: host.scratch[..<count]))
      if let address = message.address { call.push(address.description) }
      return call.done
    case .parked: return call.parked
    case .failed(let code): return call.fail(code: code)
    case .ended(let reason): return call.end(reason)
    }
  }

  static let connect: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let socket = call.datagram else { return call.fail("closed") }
    guard let address = NetModule.parse(call, 1) else {
      return call.fail("invalid address", "EINVAL")
    }
    let result = call.host.kernel.connect(socket.registration.fd, address)
    return result < 0 ? call.fail(code: -result) : call.answer(true)
  }

  static let address: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let socket = call.datagram else { return call.fail("closed") }
    var address = SocketAddress()
    let result = call.host.kernel.localAddress(socket.registration.fd, &address)
    return result < 0 ? call.fail(code: -result) : call.answer(address.description)
  }

  static let fd: Leaf = { raw in
    let call = unsafe Call(raw)
    guard let socket = call.datagram else { return call.fail("closed") }
    return call.answer(Int(socket.registration.fd))
  }
}

extension Call {
  /// The UDP socket behind argument 0; nil when it was closed.
  var datagram: Datagram? { host.objects.find(handle(), .datagram, as: Datagram.self) }
}
