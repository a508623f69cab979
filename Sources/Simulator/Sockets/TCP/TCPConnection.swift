import Glibc

/// One side of a connection: its state, and what it has sent and received. It outlives the
/// socket that a program closes.
///
/// Sequence numbers are kept as positions that do not wrap. Source: RFC 9293.
@safe
final class TCPConnection {
  enum State: UInt8 {
    case synSent, synReceived, established, finWait1, finWait2, closing, closeWait, lastAck
    case timeWait, closed
  }

  @safe unowned(unsafe) let node: Node
  let local: Endpoint
  let remote: Endpoint
  let route: Route
  @safe @exclusivity(unchecked) var state: State {
    didSet { if state == .established { wasEstablished = true } }
  }
  /// The socket that a program holds; nil before accept and after close.
  @safe @exclusivity(unchecked) unowned(unsafe) var socket: TCPSocket?
  /// The listener whose queue it stands in, before accept.
  @safe @exclusivity(unchecked) var listener: TCPSocket?
  /// Its port may be bound again although it is there: SO_REUSEADDR.
  @safe @exclusivity(unchecked) var sharesPort = false
  @safe @exclusivity(unchecked) private(set) var wasEstablished = false
  /// SO_ERROR: told once.
  @safe @exclusivity(unchecked) var error: Int32 = 0

  // What was sent. Positions: oldest unacknowledged, next to send, next that was never sent.
  @safe @exclusivity(unchecked) var unacknowledged: UInt64
  @safe @exclusivity(unchecked) var next: UInt64
  @safe @exclusivity(unchecked) var highest: UInt64
  /// Data from `bufferStart` on that is not acknowledged, sent or not.
  @safe @exclusivity(unchecked) var buffer = ByteRing()
  @safe @exclusivity(unchecked) var bufferStart: UInt64
  @safe @exclusivity(unchecked) var sendRoom = TCPLimits.sendRoom
  /// The stream ends behind the data in the buffer.
  @safe @exclusivity(unchecked) var isEnding = false
  @safe @exclusivity(unchecked) var peerWindow: UInt64 = 0
  /// The largest window that the peer has announced.
  @safe @exclusivity(unchecked) var largestWindow: UInt64 = 0
  @safe @exclusivity(unchecked) var unansweredProbes = 0
  /// The positions of the segment that told the peer's window.
  @safe @exclusivity(unchecked) var windowSequence: UInt64 = 0
  @safe @exclusivity(unchecked) var windowAcknowledgement: UInt64 = 0
  @safe @exclusivity(unchecked) var peerScale: UInt8 = 0
  /// The most data in a segment.
  @safe @exclusivity(unchecked) var segment: Int
  @safe @exclusivity(unchecked) var congestion: CongestionWindow
  @safe @exclusivity(unchecked) var roundTrip = RoundTrip()
  /// A segment whose answer is timed: the position behind it, and when it left. 0: none.
  @safe @exclusivity(unchecked) var timedEnd: UInt64 = 0
  @safe @exclusivity(unchecked) var timedAt: UInt64 = 0
  /// When something was acknowledged last, or the first of what is on its way left.
  @safe @exclusivity(unchecked) var lastProgress: UInt64 = 0
  /// A writer found no room, and waits for an event.
  @safe @exclusivity(unchecked) var isWriterWaiting = false
  @safe @exclusivity(unchecked) var isNagling = true
  @safe @exclusivity(unchecked) var isCorked = false

  // What was received.
  @safe @exclusivity(unchecked) var received = ReceiveQueue()
  /// Bytes since the last acknowledgement that was sent.
  @safe @exclusivity(unchecked) var unanswered = 0
  /// Reading, or sending, was ended by the program.
  @safe @exclusivity(unchecked) var isReadShut = false
  @safe @exclusivity(unchecked) var isWriteShut = false

  @safe @exclusivity(unchecked) var timers = TCPTimers()
  @safe @exclusivity(unchecked) var keepAlive = KeepAlive()
  /// Its place in the table's list.
  @safe @exclusivity(unchecked) var tableIndex = 0
  /// Where the world's timer events find it.
  @safe @exclusivity(unchecked) var slot: TimerSlot?

  init(
    node: Node, local: Endpoint, remote: Endpoint, route: Route, state: State, options: TCPOptions
  ) {
    self.node = node
    self.local = local
    self.remote = remote
    self.route = route
    self.state = state
    let first = node.tcp.firstSequence(local, remote, at: node)
    (unacknowledged, next, highest) = (first, first, first)
    bufferStart = first + 1
    segment = min(route.segment(local.address), options.segmentLimit)
    congestion = CongestionWindow(segment: segment)
    apply(options)
  }

  /// Enters the node's table. False: there is a connection with the same ends.
  func start() -> Bool {
    guard node.tcp.add(self) else { return false }
    slot = node.world.timers.add(self)
    return true
  }

  var network: Network { node.network }
  var present: UInt64 { node.present }

  /// Takes over what a program has set on the socket.
  func apply(_ options: TCPOptions) {
    isNagling = !options.noDelay
    isCorked = options.isCorked
    sendRoom = options.sendRoom
    received.room = options.receiveRoom
    keepAlive.options = options
  }

  // MARK: What a program sees

  /// The connection is established, or was.
  var isConnected: Bool { state != .synSent && state != .synReceived && state != .closed }

  /// Nothing passes any more in either direction.
  var isOver: Bool { state == .closed || state == .timeWait }

  var hasPeerEnded: Bool { received.isEnded }

  /// Data and, when it was sent, the end of the stream, that is not acknowledged.
  var inFlight: UInt64 { highest - unacknowledged }

  var isWritable: Bool { buffer.count * 3 <= sendRoom * 2 }

  var dataEnd: UInt64 { bufferStart + UInt64(buffer.count) }

  var events: PollEvents {
    var events: PollEvents = error == 0 ? [] : .error
    let readOver = hasPeerEnded || isReadShut || isOver
    let writeOver = isWriteShut || isOver
    if readOver { events.formUnion([.readable, .peerClosed]) }
    if readOver && writeOver { events.insert(.hangUp) }
    if state == .synSent || state == .synReceived { return events }
    if received.unread > 0 { events.insert(.readable) }
    if writeOver || isWritable { events.insert(.writable) }
    return events
  }

  func signal(_ events: PollEvents) { socket?.signal(events) }

  // MARK: Transfers

  /// Takes data to send. Returns bytes, or `-errno`.
  func send(_ bytes: UnsafeRawBufferPointer, holdsBack: Bool) -> Int {
    if let error = takeError() { return Int(-error) }
    if isWriteShut || isOver { return Int(-EPIPE) }
    if state == .synSent || state == .synReceived { return Int(-EAGAIN) }
    let free = max(sendRoom - buffer.count, 0)
    if free < bytes.count { isWriterWaiting = true }
    if free == 0, bytes.count > 0 { return Int(-EAGAIN) }
    let taken = min(free, bytes.count)
    unsafe buffer.append(UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
    let wasCorked = isCorked
    if holdsBack { isCorked = true }
    output()
    isCorked = wasCorked
    return taken
  }

  func receive(_ room: UnsafeMutableRawBufferPointer, peeks: Bool) -> Int {
    if unsafe room.isEmpty { return 0 }
    let count = unsafe received.read(room, peeks: peeks, &network.packets)
    if count > 0 {
      if !peeks, !isOver, received.deservesUpdate(segment: segment) { acknowledge() }
      return count
    }
    if hasPeerEnded { return 0 }
    if let error = takeError() { return Int(-error) }
    if isReadShut || isOver { return 0 }
    return Int(-EAGAIN)
  }

  func takeError() -> Int32? {
    guard error != 0 else { return nil }
    defer { error = 0 }
    return error
  }
}
