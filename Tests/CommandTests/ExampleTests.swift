import Testing

@Suite struct `The examples` {
  /// Starts a server of the examples on a free port.
  private func server(_ name: String) throws -> (Child, address: String) {
    let child = try Child(Paths.command, ["scripts/examples/\(name)", "127.0.0.1:0"])
    let line = try child.readLine()
    #expect(line.hasPrefix("listening on 127.0.0.1:"))
    return (child, String(line.dropFirst("listening on ".count)))
  }

  @Test func `every example has a test here`() {
    let tested = [
      "chat", "echo_client", "echo_server", "port_scan", "raw_registration", "show",
    ]
    #expect(
      Paths.scripts("scripts/examples") == tested.map { "scripts/examples/\($0).lua" })
  }

  @Test func `the echo server answers the echo client`() throws {
    let (server, address) = try server("echo_server.lua")
    let words = try luareact("scripts/examples/echo_client.lua", address, "one", "two")
    expectSuccess(words)
    #expect(words.output == "one\ntwo\n")
    let lines = try luareact("scripts/examples/echo_client.lua", address, input: "a line\nmore\n")
    expectSuccess(lines)
    #expect(lines.output == "a line\nmore\n")
    let ended = try server.stop()
    #expect(ended.errors == "")
    #expect(ended.output == "")
  }

  @Test func `the echo client says when nobody listens`() throws {
    let result = try luareact("scripts/examples/echo_client.lua", "127.0.0.1:1", "x")
    #expect(result.errors.contains("connection refused"))
    #expect(result.code == 1)
  }

  @Test func `the chat room brings two people together`() throws {
    let (server, address) = try server("chat.lua")
    let people = """
      local net = require "reactor.net"
      local function join(name)
        local conn = assert(net.connect(..., { timeout = 10 }))
        assert(conn:readn(#"your name? ", 10) == "your name? ")
        conn:write(name .. "\\n")
        print(conn:readline(10))
        return conn
      end
      """.replacing("...", with: "arg[1]")
    let dialogue = """

      local ann = join "ann"
      local bob = join "bob"
      print(ann:readline(10))
      ann:write "hello\\n"
      print(bob:readline(10))
      bob:close()
      print(ann:readline(10))
      ann:close()
      """
    let result = try luareact("-", address, input: people + dialogue)
    expectSuccess(result)
    #expect(
      result.output == """
        welcome ann, 1 here
        welcome bob, 2 here
        * bob joined
        ann: hello
        * bob left

        """)
    #expect(try server.stop().errors == "")
  }

  @Test func `the port scanner finds a port that is open`() throws {
    let (server, address) = try server("echo_server.lua")
    let port = try #require(Int(address.split(separator: ":").last ?? ""))
    let result = try luareact(
      "scripts/examples/port_scan.lua", "127.0.0.1", "\(max(port - 3, 1))-\(min(port + 3, 65535))")
    expectSuccess(result)
    #expect(result.output.contains("\(port) open"))
    #expect(try server.stop().errors == "")
  }

  @Test func `the raw registration gets three messages and the end`() throws {
    let result = try luareact("scripts/examples/raw_registration.lua")
    expectSuccess(result)
    for message in ["message 1", "message 2", "message 3", "end of file"] {
      #expect(result.output.contains(message))
    }
  }

  @Test func `the show ends by itself with all of its clients served`() throws {
    let result = try luareact("scripts/examples/show.lua")
    expectSuccess(result)
    #expect(result.output.contains("200 clients had"))
  }
}
