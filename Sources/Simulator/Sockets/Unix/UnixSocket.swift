import Glibc
import Reactor

/// A Unix socket: a stream, a stream of packets, or datagrams, within one node. What is sent is in
/// the receiver's queue when the call returns. Source: unix(7).
final class UnixSocket: OpenFile {
  private static let defaultRoom = 212_992
  /// How many datagrams wait for a socket that is not connected to their sender:
  /// max_dgram_qlen.
  private static let longestQueue = 10

  let type: Int32
  @safe @exclusivity(unchecked) private var name: (name: UnixTable.Name, address: SocketAddress)?
  @safe @exclusivity(unchecked) private var peer: UnixSocket?
  /// A stream was connected once.
  @safe @exclusivity(unchecked) private var isConnected = false
  @safe @exclusivity(unchecked) private var queue = UnixInbox()
  /// What of its messages stands in the queues of others, in bytes.
  @safe @exclusivity(unchecked) private var charged = 0
  @safe @exclusivity(unchecked) private var room = UnixSocket.defaultRoom
  @safe @exclusivity(unchecked) private var isReadShut = false
  @safe @exclusivity(unchecked) private var isWriteShut = false
  @safe @exclusivity(unchecked) private var isClosed = false
  @safe @exclusivity(unchecked) private var error: Int32 = 0
  /// Of a listener: the sockets that wait to be accepted.
  @safe @exclusivity(unchecked) private var backlog: Int?
  @safe @exclusivity(unchecked) private var waiting: [UnixSocket] = []
  @safe @exclusivity(unchecked) private var options = SocketOptions()

  init(node: Node, type: Int32) {
    self.type = type
    super.init(node: node)
  }

  /// Makes two that are connected.
  static func pair(node: Node, type: Int32) -> (UnixSocket, UnixSocket) {
    let (one, other) = (UnixSocket(node: node, type: type), UnixSocket(node: node, type: type))
    one.join(other)
    return (one, other)
  }

  private func join(_ other: UnixSocket) {
    (peer, other.peer) = (other, self)
    (isConnected, other.isConnected) = (true, true)
  }

  private var isDatagram: Bool { type == SocketType.datagram }

  override var kind: DescriptorKind {
    if backlog != nil { return .listeningSocket }
    switch type {
    case SocketType.stream: return .unixStreamSocket
    case SocketType.datagram: return .datagramSocket
    default: return .seqpacketSocket
    }
  }

  override var events: PollEvents {
    if backlog != nil { return waiting.isEmpty ? [] : .readable }
    var events: PollEvents = error == 0 ? [] : .error
    if isReadShut { events.formUnion([.readable, .peerClosed]) }
    if isReadShut, isWriteShut { events.insert(.hangUp) }
    if !isDatagram, !isConnected { events.insert(.hangUp) }
    if !queue.isEmpty { events.insert(.readable) }
    if isWritable, !isPeerFull { events.insert(.writable) }
    return events
  }

  /// A quarter of the send buffer at most is in use.
  private var isWritable: Bool { charged * 4 <= room }

  /// The peer of a datagram socket takes from others too, and has enough of them.
  private var isPeerFull: Bool {
    guard isDatagram, let peer, peer.peer !== self else { return false }
    return peer.queue.count > Self.longestQueue
  }

  // MARK: Names

  override func bind(_ address: borrowing SocketAddress) -> Int32 {
    guard address.isUnix, let path = address.unixPath else { return -EINVAL }
    guard name == nil else { return -EINVAL }
    let wanted = path.isEmpty ? node.unix.automaticName() : path
    switch node.unix.bind(self, to: wanted, on: node.disk) {
    case .failure(let error): return -error.code
    case .success(let taken):
      name = (taken, Self.address(wanted))
      return 0
    }
  }

  private static func address(_ path: [UInt8]) -> SocketAddress {
    (path.first == 0 ? SocketAddress(abstract: path.dropFirst()) : SocketAddress(path: path))
      ?? unnamed
  }

  /// A family, and no name.
  private static var unnamed: SocketAddress {
    unsafe withUnsafeBytes(of: UInt16(AF_UNIX)) { unsafe SocketAddress(bytes: $0) }
      ?? SocketAddress()
  }

  override func localAddress(_ address: inout SocketAddress) -> Int32 {
    address = name?.address ?? Self.unnamed
    return 0
  }

  override func peerAddress(_ address: inout SocketAddress) -> Int32 {
    guard let peer else { return -ENOTCONN }
    return peer.localAddress(&address)
  }

  // MARK: Connections

  override func listen(backlog: Int32) -> Int32 {
    if isDatagram { return -EOPNOTSUPP }
    guard name != nil, !isConnected else { return -EINVAL }
    self.backlog = Int(min(max(backlog, 0), TCPLimits.mostBacklog))
    return 0
  }

  override func accept(_ peer: inout SocketAddress, _ result: inout Int32) -> OpenFile? {
    guard backlog != nil else {
      result = isDatagram ? -EOPNOTSUPP : -EINVAL
      return nil
    }
    guard !waiting.isEmpty else {
      result = -EAGAIN
      return nil
    }
    let socket = waiting.removeFirst()
    if socket.peerAddress(&peer) < 0 { peer = Self.unnamed }
    return socket
  }

  override func connect(_ address: borrowing SocketAddress) -> Int32 {
    if isDatagram, address.family == AF_UNSPEC {
      peer = nil
      return 0
    }
    guard address.isUnix, let path = address.unixPath, !path.isEmpty else { return -EINVAL }
    if backlog != nil { return -EINVAL }
    if isConnected, !isDatagram { return -EISCONN }
    switch node.unix.find(path, on: node.disk) {
    case .failure(let error): return -error.code
    case .success(let other): return connect(to: other)
    }
  }

  private func connect(to other: UnixSocket) -> Int32 {
    guard other.type == type else { return -EPROTOTYPE }
    if isDatagram {
      guard other.peer == nil || other.peer === self else { return -EPERM }
      peer = other
      isConnected = true
      return 0
    }
    guard let backlog = other.backlog else { return -ECONNREFUSED }
    guard other.waiting.count <= backlog else { return -EAGAIN }
    let end = UnixSocket(node: node, type: type)
    end.name = other.name.map { (.abstract([]), $0.address) }
    end.isUnlisted = true
    join(end)
    other.waiting.append(end)
    other.signal(.readable)
    return 0
  }

  /// Shows the name of its listener, which is not its own.
  @safe @exclusivity(unchecked) private var isUnlisted = false

  override func shutdown(how: Int32) -> Int32 {
    guard (0...2).contains(how) else { return -EINVAL }
    if how != 1 { isReadShut = true }
    if how != 0 { isWriteShut = true }
    signal([.readable, .writable, .peerClosed, .hangUp])
    guard !isDatagram, let peer else { return 0 }
    if how != 1 { peer.isWriteShut = true }
    if how != 0 { peer.isReadShut = true }
    peer.signal([.readable, .writable, .peerClosed, .hangUp])
    return 0
  }

  override func close() {
    isClosed = true
    if let name, !isUnlisted { node.unix.remove(name.name) }
    for socket in waiting {
      socket.peer?.error = ECONNRESET
      socket.close()
    }
    waiting = []
    let hadUnread = !queue.isEmpty
    for message in queue.takeAll() { message.drop() }
    let peer = peer
    self.peer = nil
    guard !isDatagram, let peer else { return }
    if hadUnread { peer.error = ECONNRESET }
    (peer.isReadShut, peer.isWriteShut) = (true, true)
    peer.signal([.readable, .writable, .error, .peerClosed, .hangUp])
  }

  // MARK: Sending

  override func send(_ bytes: UnsafeRawBufferPointer, flags: Int32) -> Int {
    unsafe send(bytes, to: nil, [])
  }

  override func write(_ bytes: UnsafeRawBufferPointer) -> Int { unsafe send(bytes, flags: 0) }

  override func sendMessage(
    _ bytes: UnsafeRawBufferPointer, flags: Int32, _ message: borrowing Message
  ) -> Int {
    var files: [OpenFile] = []
    for fd in message.descriptors {
      guard let file = node.kernel?.descriptors[fd] else { return Int(-EBADF) }
      files.append(file)
    }
    guard files.count <= Message.maximumDescriptors else { return Int(-EINVAL) }
    guard let address = message.address else { return unsafe send(bytes, to: nil, files) }
    guard isDatagram else { return Int(isConnected ? -EISCONN : -EOPNOTSUPP) }
    guard let path = address.unixPath, !path.isEmpty else { return Int(-EINVAL) }
    switch node.unix.find(path, on: node.disk) {
    case .failure(let error): return Int(-error.code)
    case .success(let other): return unsafe send(bytes, to: other, files)
    }
  }

  private func send(
    _ bytes: UnsafeRawBufferPointer, to named: UnixSocket?, _ files: [OpenFile]
  ) -> Int {
    if type == SocketType.seqpacket || isDatagram, let error = takeError() { return Int(-error) }
    if isWriteShut { return Int(-EPIPE) }
    guard let target = named ?? peer else { return Int(-ENOTCONN) }
    if target.isClosed {
      peer = nil
      return Int(isDatagram ? -ECONNREFUSED : -EPIPE)
    }
    guard target.type == type else { return Int(-EPROTOTYPE) }
    if isDatagram {
      if let own = target.peer, own !== self { return Int(-EPERM) }
      if target.isReadShut { return Int(-EPIPE) }
      if target.peer !== self, target.queue.count > Self.longestQueue { return Int(-EAGAIN) }
    }
    if type == SocketType.stream {
      if unsafe bytes.isEmpty { return 0 }
    } else if bytes.count > room - 32 {
      return Int(-EMSGSIZE)
    }
    guard charged < room else { return Int(-EAGAIN) }
    let count = type == SocketType.stream ? min(bytes.count, room - charged) : bytes.count
    for file in files { file.references += 1 }
    let message = unsafe UnixMessage(
      bytes: [UInt8](bytes[..<count]), files: files, sender: self, address: name?.address)
    charged += message.charge
    target.queue.append(message)
    target.signal(.readable)
    return count
  }

  private func takeError() -> Int32? {
    guard error != 0 else { return nil }
    defer { error = 0 }
    return error
  }

  /// One of its messages has left the queue of another.
  fileprivate func credit(_ charge: Int) {
    charged -= charge
    if isWritable { signal(.writable) }
  }

  // MARK: Receiving

  override func receive(_ buffer: UnsafeMutableRawBufferPointer, flags: Int32) -> Int {
    var message = Message()
    return unsafe receiveMessage(buffer, flags: flags, &message)
  }

  override func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe receive(buffer, flags: 0)
  }

  override func receiveMessage(
    _ buffer: UnsafeMutableRawBufferPointer, flags: Int32, _ message: inout Message
  ) -> Int {
    guard isDatagram || isConnected else {
      return Int(type == SocketType.stream ? -EINVAL : -ENOTCONN)
    }
    guard !queue.isEmpty else {
      if let error = takeError() { return Int(-error) }
      return isReadShut ? 0 : Int(-EAGAIN)
    }
    let peeks = flags & Int32(MSG_PEEK) != 0
    let receipt =
      unsafe type == SocketType.stream
      ? queue.takeBytes(buffer, peeks: peeks) : queue.takeMessage(buffer, peeks: peeks)
    for done in receipt.finished { done.sender.credit(done.charge) }
    open(receipt.files, &message)
    message.address = receipt.address
    if receipt.copied < receipt.length { message.flags |= Int32(MSG_TRUNC) }
    return flags & Int32(MSG_TRUNC) != 0 ? receipt.length : receipt.copied
  }

  /// Gives files that were passed along descriptors of the receiver.
  private func open(_ files: [OpenFile], _ message: inout Message) {
    for file in files {
      let fd = node.kernel?.open(file) ?? -EBADF
      file.release()
      if fd >= 0 {
        message.descriptors.append(fd)
      } else {
        message.flags |= Int32(MSG_CTRUNC)
      }
    }
  }

  // MARK: Options

  override func option(level: Int32, name: Int32, _ value: UnsafeMutableRawBufferPointer) -> Int32 {
    guard level == SOL_SOCKET, let number = number(name) else {
      return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP
    }
    return unsafe value.store(number)
  }

  private func number(_ name: Int32) -> Int32? {
    switch name {
    case SO_ERROR: takeError() ?? 0
    case SO_TYPE: type
    case SO_DOMAIN: AF_UNIX
    case SO_PROTOCOL: 0
    case SO_ACCEPTCONN: backlog == nil ? 0 : 1
    case SO_SNDBUF: Int32(clamping: room)
    case SO_RCVBUF: Int32(clamping: Self.defaultRoom)
    default: options.read(level: SOL_SOCKET, name: name)
    }
  }

  override func setOption(level: Int32, name: Int32, _ value: UnsafeRawBufferPointer) -> Int32 {
    guard level == SOL_SOCKET else { return -EOPNOTSUPP }
    guard let number = unsafe value.loadInt32(at: 0) else { return -EINVAL }
    switch name {
    case SO_SNDBUF: room = max(min(Int(number), Self.defaultRoom) * 2, 4_608)
    case SO_RCVBUF: break
    default: return options.set(level: level, name: name, number) ? 0 : -ENOPROTOOPT
    }
    return 0
  }
}

extension UnixMessage {
  /// Nobody will read it any more.
  fileprivate func drop() {
    sender.credit(charge)
    for file in files { file.release() }
  }
}
