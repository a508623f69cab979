import Testing

/// What others see of a program that ends.
@Suite struct `The peers of a program` {
  private static let asks = """
    local net = require "reactor.net"
    local conn = assert(net.connect(arg[1], { timeout = 20 }))
    -- More than two socket buffers hold: the server has not read it when it ends.
    local sent, err, name = conn:write("line\\n" .. ("q"):rep(8 << 20), 20)
    local answer, why, reason = conn:readall(20)
    print(sent, #(answer or ""), err or why, name or reason)
    """

  /// Runs a server to its end, and a client that asks it.
  private func ask(_ server: String) throws -> (client: String, server: Child.Result) {
    let child = try Child(Paths.command, ["-e", "server = true", "-"])
    try child.write(
      """
      local net = require "reactor.net"
      local listener = assert(net.listen "127.0.0.1:0")
      io.write(listener:address(), "\\n"):flush()
      local conn = assert(listener:accept(20))
      assert(conn:readline(20) == "line")
      assert(conn:write(("a"):rep(300000), 20))
      \(server)
      """)
    child.endInput()
    let address = try child.readLine()
    let client = try luareact("-", address, input: Self.asks)
    #expect(client.errors == "")
    return (client.output, try child.finish())
  }

  @Test(arguments: ["conn:close()", "", "os.exit(0, true)"])
  func `get all that it wrote, although it had not read all that they sent`(end: String) throws {
    let (client, server) = try ask(end)
    #expect(client == "8388613\t300000\tnil\tnil\n")
    #expect(server.errors == "" && server.code == 0)
  }

  @Test func `get a reset when it asks for one`() throws {
    let (client, server) = try ask("conn:option('linger', 0) conn:close()")
    #expect(client.hasPrefix("nil\t") && !client.contains("300000"))
    #expect(server.code == 0)
  }

  @Test func `do not hold up its end for longer than a second`() throws {
    // The test has the other end, and does nothing with it.
    let script = """
      local net, sys, time = require "reactor.net", require "reactor.sys", require "reactor.time"
      local listener = assert(net.listen "127.0.0.1:0")
      local fd = assert(sys.socket("inet", "stream"))
      sys.connect(fd, listener:address())
      sys.write(fd, "unread")
      local conn = assert(listener:accept(20))
      assert(conn:read(1, 20))
      conn:close()
      print(require "reactor".metrics().lingering)
      """
    let result = try luareact("-", input: script)
    expectSuccess(result)
    #expect(result.output == "1\n")
  }
}
