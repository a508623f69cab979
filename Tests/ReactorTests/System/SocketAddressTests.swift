import Glibc
import Testing

@testable import Reactor

@Suite struct SocketAddressTests {
  @Test(arguments: [
    "127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0",
    "[2001:db8::1]:443", "[1:2:3:4:5:6:7:8]:1", "[1:0:0:4::8]:1", "[1::4:0:0:8]:1",
    "[fe80::1%1]:80", "[::ffff:192.0.2.1]:80", "[1:0:3:4:5:6:7:8]:1", "unix:/run/socket",
    "unix:relative", "unix:@abstract", "unix:@", "unix:/a:b@c", "[::1:2]:5", "[1::]:5",
  ])
  func `an address prints as it was parsed`(text: String) throws {
    if text == "unix:@" {
      #expect(throws: AddressError.self) { try SocketAddress(parsing: text) }
      return
    }
    // The zone prints as the name of its interface where there is one.
    let expected = text == "[fe80::1%1]:80" ? ["[fe80::1%lo]:80", text] : [text]
    #expect(expected.contains(try SocketAddress(parsing: text).description))
  }

  @Test(arguments: [
    ("[0:0:0:0:0:0:0:1]:80", "[::1]:80"), ("[2001:DB8::A]:1", "[2001:db8::a]:1"),
    ("[::ffff:102:304]:1", "[::ffff:1.2.3.4]:1"), ("[64:ff9b::1.2.3.4]:1", "[64:ff9b::102:304]:1"),
    ("[0001:0:0:0:0:0:0:0]:1", "[1::]:1"), ("[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1"),
    ("[::2:3:4:5:6:7:8]:1", "[0:2:3:4:5:6:7:8]:1"),
  ])
  func `an IPv6 address prints in the form of RFC 5952`(text: String, canonical: String) throws {
    #expect(try SocketAddress(parsing: text).description == canonical)
  }

  @Test(arguments: [
    ("", "the port is missing"), (":80", "the host is missing"),
    ("127.0.0.1", "the port is missing"), ("127.0.0.1:", "the port is missing"),
    ("127.0.0.1:65536", "the port is not a number from 0 to 65535"),
    ("127.0.0.1:-1", "the port is not a number from 0 to 65535"),
    ("127.0.0.1:+1", "the port is not a number from 0 to 65535"),
    ("127.0.0.1:080", "the port is not a number from 0 to 65535"),
    ("127.0.0.1:8 ", "the port is not a number from 0 to 65535"),
    ("127.0.0.1:99999999999999999999", "the port is not a number from 0 to 65535"),
    ("127.0.0.01:80", "not a numeric address"), ("0177.0.0.1:80", "not a numeric address"),
    ("0x7f.0.0.1:80", "not a numeric address"), ("127.1:80", "not a numeric address"),
    ("2130706433:80", "not a numeric address"), ("256.0.0.1:80", "not a numeric address"),
    ("1.2.3.4.5:80", "not a numeric address"), ("1.2.3.:80", "not a numeric address"),
    (" 1.2.3.4:80", "not a numeric address"), ("localhost:80", "not a numeric address"),
    ("1.2.3.4\0:80", "not a numeric address"), ("١.2.3.4:80", "not a numeric address"),
    ("::1:80", "the host is missing"), ("fe80::1:80", "an IPv6 address stands in brackets"),
    ("[::1]", "the port is missing"), ("[::1]80", "the port is missing"),
    ("[::1:80", "the closing bracket is missing"), ("[]:80", "not a numeric address"),
    ("[:]:80", "not a numeric address"), ("[:::]:80", "not a numeric address"),
    ("[1::2::3]:80", "not a numeric address"), ("[1:2:3:4:5:6:7]:80", "not a numeric address"),
    ("[1:2:3:4:5:6:7:8:9]:80", "not a numeric address"),
    ("[1:2:3:4::5:6:7:8]:80", "not a numeric address"),
    ("[12345::]:80", "not a numeric address"), ("[g::]:80", "not a numeric address"),
    ("[1:]:80", "not a numeric address"), ("[:1]:80", "not a numeric address"),
    ("[::1.2.3]:80", "not a numeric address"), ("[::1.2.3.4:5]:80", "not a numeric address"),
    ("[1:2:3:4:5:6:7:1.2.3.4]:80", "not a numeric address"),
    ("[127.0.0.1]:80", "not a numeric address"),
    ("[fe80::1%]:80", "no such network interface"),
    ("[fe80::1%0]:80", "no such network interface"),
    ("[fe80::1%nosuch]:80", "no such network interface"),
    ("unix:", "the path is empty"), ("unix:@", "the abstract name is empty"),
    ("unix:a\0b", "a Unix path has no NUL"),
  ])
  func `a text that is not an address says what is wrong`(text: String, reason: String) {
    #expect {
      try SocketAddress(parsing: text)
    } throws: {
      ($0 as? AddressError)?.description == reason
    }
  }

  @Test func `a Unix path has at most 107 bytes`() throws {
    let longest = "unix:/" + String(repeating: "a", count: 106)
    #expect(try SocketAddress(parsing: longest).description == longest)
    #expect(throws: AddressError.self) { try SocketAddress(parsing: longest + "a") }
    let abstract = "unix:@" + String(repeating: "a", count: 107)
    #expect(throws: AddressError.self) { try SocketAddress(parsing: abstract) }
    #expect(SocketAddress(abstract: abstract.utf8.dropFirst(6)) != nil)
  }

  @Test func `an address tells its family, its host and its port`() throws {
    let four = try SocketAddress(parsing: "192.0.2.1:80")
    #expect(four.isIPv4 && four.family == AF_INET && four.port == 80 && four.host == "192.0.2.1")
    let six = try SocketAddress(parsing: "[2001:db8::1]:443")
    #expect(six.isIPv6 && six.family == AF_INET6 && six.port == 443 && six.host == "2001:db8::1")
    let unix = try SocketAddress(parsing: "unix:/a")
    #expect(unix.isUnix && unix.port == nil && unix.host == nil)
    #expect(unix.unixPath == [UInt8]("/a".utf8))
    let abstract = try SocketAddress(parsing: "unix:@a")
    #expect(abstract.unixPath == [0, 0x61])
    let none = SocketAddress()
    #expect(none.isEmpty && none.family == 0 && none.port == nil && none.description == "none")
  }

  @Test func `a numeric host with a port makes an address, and a name does not`() {
    #expect(SocketAddress(host: "127.0.0.1", port: 7)?.description == "127.0.0.1:7")
    #expect(SocketAddress(host: "::1", port: 7)?.description == "[::1]:7")
    #expect(SocketAddress(host: "localhost", port: 7) == nil)
    #expect(SocketAddress(host: "", port: 7) == nil)
    #expect(SocketAddress(host: "[::1]", port: 7) == nil)
  }

  @Test func `two addresses are equal when their bytes are`() throws {
    var one = try SocketAddress(parsing: "127.0.0.1:80")
    let other = SocketAddress(127, 0, 0, 1, port: 81)
    #expect(one != other)
    one.port = 81
    #expect(one == other)
    #expect(one.hashValue == other.hashValue)
    #expect(try SocketAddress(parsing: "unix:a") != SocketAddress(parsing: "unix:@a"))
  }

  @Test func `an address goes through its bytes`() throws {
    let address = try SocketAddress(parsing: "[2001:db8::1]:443")
    let copy = unsafe address.withUnsafeBytes { unsafe SocketAddress(bytes: $0) }
    #expect(copy == address)
    #expect(address.bytes.count == 28)
    let long = [UInt8](repeating: 1, count: SocketAddress.capacity + 1)
    #expect(unsafe long.withUnsafeBytes { unsafe SocketAddress(bytes: $0) } == nil)
  }

  @Test(arguments: 0...112)
  func `bytes of any length and family have a description`(count: Int) {
    for family: UInt8 in [0, 1, 2, 10, 16, 255] {
      let bytes = [family, 0] + [UInt8](repeating: 0xFF, count: 110)
      let address = unsafe bytes.prefix(count).withUnsafeBytes { unsafe SocketAddress(bytes: $0) }
      #expect((address == nil) == (count == 1))
      if let address { #expect(!address.description.isEmpty) }
    }
  }
}
