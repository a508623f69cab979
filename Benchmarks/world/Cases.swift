import Glibc
import Reactor
import Simulator

/// Nodes that sleep for a random time, again and again: an event of the heap and a turn each.
func timers(nodes: Int, hops: Int) -> (Int, String) {
  let world = World(seed: 1)
  let batch = EventBatch()
  let count = Count(hops)
  world.onTurn = { node in
    guard let kernel = node.kernel else { return }
    count.left -= 1
    _ = kernel.poll(until: kernel.monotonic() + count.pause(), into: batch)
  }
  for number in 0..<nodes { _ = world.addNode("n\(number)")?.start() }
  while count.left > 0, world.step() {}
  return (hops, "turns of \(nodes) nodes with a timer each")
}

/// The owner's actions, each of which plans the next one.
func actions(pending: Int, hops: Int) -> (Int, String) {
  let world = World(seed: 1)
  let count = Count(hops)
  count.action = {
    count.left -= 1
    world.at(world.now + count.pause(), count.action)
  }
  for _ in 0..<pending { world.at(count.pause(), count.action) }
  while count.left > 0, world.step() {}
  count.action = {}
  return (hops, "timer events, \(pending) pending")
}

/// Pairs of nodes that throw a datagram to and fro.
func datagrams(_ count: Int) -> (Int, String) {
  let world = World(seed: 1)
  let batch = EventBatch()
  var left = count
  let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 2_048, alignment: 16)
  defer { unsafe room.deallocate() }
  world.onTurn = { node in
    guard let kernel = node.kernel else { return }
    _ = kernel.poll(until: nil, into: batch)
    var message = Message()
    while case let size = unsafe kernel.receiveMessage(3, room, flags: 0, &message), size >= 0 {
      left -= 1
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: room[..<size])
      _ = unsafe kernel.sendMessage(3, bytes, flags: 0, message)
    }
  }
  var nodes: [Node] = []
  for number in 0..<64 {
    guard let node = world.addNode("n\(number)") else { continue }
    let kernel = node.start()
    _ = kernel.socket(AF_INET, 2, 0)
    _ = kernel.bind(3, SocketAddress(0, 0, 0, 0, port: 7))
    _ = kernel.register(3, [.read, .write], token: 3)
    nodes.append(node)
  }
  for pair in 0..<32 {
    for _ in 0..<4 {
      let message = Message(address: nodes[pair * 2 + 1].address(port: 7))
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: room[..<64])
      _ = unsafe nodes[pair * 2].kernel?.sendMessage(3, bytes, flags: 0, message)
    }
  }
  while left > 0, world.step() {}
  return (count - left, "datagrams of 64 bytes from node to node")
}

/// One connection, as fast as it goes.
func stream(bytes: Int) -> (Int, String) {
  let world = World(seed: 1)
  let batch = EventBatch()
  guard let sender = world.addNode("sender"), let receiver = world.addNode("receiver") else {
    return (0, "")
  }
  let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
  defer { unsafe room.deallocate() }
  let (from, to) = (sender.start(), receiver.start())
  let listener = to.socket(AF_INET, 1, 0)
  _ = to.bind(listener, receiver.address(port: 80))
  _ = to.listen(listener, backlog: 1)
  _ = to.register(listener, .read, token: 3)
  let fd = from.socket(AF_INET, 1, 0)
  _ = from.register(fd, [.read, .write], token: 3)
  _ = from.connect(fd, receiver.address(port: 80))
  var received = 0
  var peer: Int32 = -1
  world.onTurn = { node in
    guard let kernel = node.kernel else { return }
    _ = kernel.poll(until: nil, into: batch)
    if node === sender {
      while unsafe kernel.send(fd, UnsafeRawBufferPointer(room), flags: 0) > 0 {}
      return
    }
    if peer < 0 {
      var address = SocketAddress()
      peer = kernel.accept(listener, &address)
      _ = kernel.register(peer, .read, token: 4)
    }
    while case let count = unsafe kernel.receive(peer, room, flags: 0), count > 0 {
      received += count
    }
  }
  while received < bytes, world.step() {}
  return (received, "bytes over one connection")
}

/// Connections one after another: connect, four bytes there and back, close.
func connections(_ count: Int) -> (Int, String) {
  let world = World(seed: 1)
  let batch = EventBatch()
  guard let client = world.addNode("client"), let server = world.addNode("server") else {
    return (0, "")
  }
  let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 16)
  defer { unsafe room.deallocate() }
  let word = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<4])
  let (from, to) = (client.start(), server.start())
  let listener = to.socket(AF_INET, 1, 0)
  _ = to.bind(listener, server.address(port: 80))
  _ = to.listen(listener, backlog: 128)
  _ = to.register(listener, .read, token: 3)
  var left = count
  func begin() {
    let fd = from.socket(AF_INET, 1, 0)
    _ = from.register(fd, [.read, .write], token: UInt64(fd))
    _ = from.connect(fd, server.address(port: 80))
  }
  world.onTurn = { node in
    guard let kernel = node.kernel else { return }
    _ = kernel.poll(until: nil, into: batch)
    for index in 0..<batch.count {
      let event = batch[index]
      let fd = Int32(truncatingIfNeeded: event.token)
      if kernel === to, fd == listener {
        var address = SocketAddress()
        while case let peer = kernel.accept(listener, &address), peer >= 0 {
          _ = kernel.register(peer, [.read, .write], token: UInt64(peer))
        }
        continue
      }
      let size = unsafe kernel.receive(fd, word, flags: 0)
      if kernel === to, size > 0 {
        _ = unsafe kernel.send(fd, UnsafeRawBufferPointer(word), flags: 0)
      }
      if kernel === to, size == 0 { _ = kernel.close(fd) }
      if kernel === from, size == -Int(EAGAIN), event.ready.contains(.writable) {
        _ = unsafe kernel.send(fd, UnsafeRawBufferPointer(word), flags: 0)
      }
      if kernel === from, size > 0 {
        _ = kernel.close(fd)
        left -= 1
        if left > 0 { begin() }
      }
    }
  }
  begin()
  while left > 0, world.step() {}
  return (count - left, "connections")
}
