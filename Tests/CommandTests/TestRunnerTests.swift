import Foundation
import Testing

@Suite struct `The test runner` {
  /// A test file with these definitions.
  private func file(_ definitions: String) -> String {
    "local test = require 'reactor.test'\nlocal it, expect = test.it, test.expect\n" + definitions
  }

  private func run(
    _ arguments: String..., files: [String: String], environment: [String: String] = [:]
  ) throws -> Child.Result {
    let folder = try Folder(files)
    let child = try Child(
      Paths.command, ["test"] + arguments, environment: environment, folder: folder.path)
    return try child.finish()
  }

  /// The lines of a report, without the seconds that it ends lines with.
  private func lines(_ result: Child.Result) -> [String] {
    result.output.split(separator: "\n").map { line in
      String(line.replacing(/\ +(in\ )?\d+\.\d+\ s$/, with: ""))
    }
  }

  @Test func `passes when every test does, and says how many there were`() throws {
    let result = try run(
      ".",
      files: [
        "b.lua": file("it('one', function() expect(1):equals(1) end)\nit('two', function() end)\n"),
        "a.lua": "assert(#arg == 0 and arg[0] == './a.lua')\nprint 'not shown'\n",
      ])
    expectSuccess(result)
    #expect(
      lines(result) == [
        "ok   ./a.lua", "ok   ./b.lua  2 passed", "2 files", "3 passed, 0 failed, 0 skipped",
      ])
  }

  @Test func `shows a failure with its place and its values, and the file's output`() throws {
    let result = try run(
      "a.lua",
      files: [
        "a.lua": file(
          "it('good', function() print 'from good' end)\n"
            + "test.describe('group', function()\n"
            + "  it('bad', function() expect(2):equals(3) end)\nend)\n")
      ])
    #expect(result.code == 1)
    #expect(result.errors == "")
    #expect(
      lines(result) == [
        "FAIL a.lua  1 passed, 1 failed", "  FAIL group > bad",
        "    a.lua:5: expected 3, got 2", "  output:", "    from good",
        "failed:", "  a.lua > group > bad", "1 files", "1 passed, 1 failed, 0 skipped",
      ])
  }

  @Test func `a script without tests fails by an error, and its output is shown whole`() throws {
    let result = try run(
      "a.lua", files: ["a.lua": "io.stderr:write 'first\\n'\nprint 'second'\nerror 'third'\n"])
    #expect(result.code == 1)
    let text = result.output
    #expect(text.contains("FAIL a.lua"))
    #expect(text.contains("    first\n    second\n    luareact: a.lua:3: third\n"))
  }

  @Test func `a script that leaves something unclosed fails, because the host says so`() throws {
    let result = try run(
      "a.lua",
      files: [
        "a.lua": "require 'reactor.net'.listen '127.0.0.1:0'\ncollectgarbage()\n"
          + "require 'reactor.time'.sleep(0)\n"
      ])
    #expect(result.code == 1)
    #expect(result.output.contains("was collected unclosed; it was made at a.lua:1"))
  }

  @Test func `reports in the order of the names, however many run at a time`() throws {
    var files: [String: String] = [:]
    for index in 0..<8 {
      files["f\(index).lua"] = "require 'reactor.time'.sleep(\(Double(8 - index) / 50))\n"
    }
    let result = try run("-j8", ".", files: files)
    expectSuccess(result)
    #expect(lines(result).prefix(8) == (0..<8).map { "ok   ./f\($0).lua" }[...])
  }

  @Test func `takes the .lua files of a folder and its folders, once each`() throws {
    let folder = try Folder([
      "a.lua": "", "in/b.lua": "assert(require 'support.text' == 'shared')\n",
      "support/text.lua": "return 'shared'\n", "_helper.lua": "error 'no'\n",
      "notes.txt": "no Lua",
    ])
    let result = try luareact("test", ".", "./a.lua", folder: folder.path)
    expectSuccess(result)
    #expect(lines(result).prefix(2) == ["ok   ./a.lua", "ok   ./in/b.lua"])
  }

  @Test func `runs what the filter selects, and fails when that is nothing`() throws {
    let files = [
      "a.lua": file("it('one', function() end)\nit('two', function() error 'runs' end)\n"),
      "plain.lua": "error 'runs'\n",
    ]
    let one = try run("--filter", "one", ".", files: files)
    expectSuccess(one)
    #expect(one.output.contains("1 passed, 0 failed"))
    let plain = try run("--filter", "plain", ".", files: files)
    #expect(plain.output.contains("0 passed, 1 failed"))
    let none = try run("--filter", "three", ".", files: files)
    #expect(none.code == 1)
    #expect(none.output.contains("no test has a name with the text of --filter in it"))
    let empty = try run(".", files: [:])
    #expect(empty.code == 1)
    #expect(empty.output.contains("there is no test to run"))
  }

  @Test func `kills a file that hangs, and goes on with the others`() throws {
    let result = try run(
      "--timeout", "0.1", "-j1", ".",
      files: ["a.lua": "while true do end\n", "b.lua": "print 'fine'\n"])
    #expect(result.code == 1)
    #expect(result.output.contains("killed: it took more than 0.1 s"))
    #expect(result.output.contains("ok   ./b.lua"))
  }

  @Test func `names the test in which a file ended before its time`() throws {
    let files = [
      "exit.lua": file("it('leaves', function() os.exit(0) end)\n"),
      "crash.lua": file(
        "it('dies', function() local f = io.open('/proc/self/stat')\n"
          + "local pid = f:read('n') f:close() os.execute('kill -KILL ' .. pid)\n"
          + "require 'reactor.time'.sleep(10) end)\n"),
    ]
    let result = try run(".", files: files)
    #expect(result.code == 1)
    #expect(result.output.contains("ended by os.exit(0) in the test 'leaves'"))
    #expect(result.output.contains("killed by signal 9 in the test 'dies'"))
  }

  @Test func `a file that does not compile fails by its message`() throws {
    let result = try run("a.lua", files: ["a.lua": "x = = 1\n"])
    #expect(result.code == 1)
    #expect(result.output.contains("luareact: a.lua:1: unexpected symbol near '='"))
  }

  @Test func `names what was skipped, and why`() throws {
    let result = try run(
      "a.lua", files: ["a.lua": file("it('raw socket', { skip = 'no privilege' }, print)\n")])
    expectSuccess(result)
    #expect(result.output.contains("  skip raw socket: no privilege\n"))
    #expect(result.output.contains("0 passed, 0 failed, 1 skipped"))
  }

  @Test func `speaks TAP`() throws {
    let result = try run(
      "--tap", "a.lua",
      files: [
        "a.lua": file(
          "it('good', function() end)\nit('bad # 1', function() error('x\\ny', 0) end)\n"
            + "it('not', { skip = 'later' }, print)\n")
      ])
    #expect(result.code == 1)
    let lines = result.output.split(separator: "\n").filter { !$0.contains("duration_ms") }
    #expect(lines.first == "TAP version 14")
    #expect(lines.last == "1..3")
    #expect(lines.contains("ok 1 - a.lua > good"))
    #expect(lines.contains("not ok 2 - a.lua > bad \\# 1"))
    #expect(lines.contains("ok 3 - a.lua > not # SKIP later"))
    #expect(lines.contains("  message: |"))
    #expect(lines.contains("    y"))
  }

  @Test func `writes JUnit's XML that others can read`() throws {
    let folder = try Folder([
      "a.lua": file(
        "print('<out&put>\\0')\nit('good', function() end)\n"
          + "it('\"bad\" <1>', function() error('a & b\\1', 0) end)\n"
          + "it('not', { skip = 'later' }, print)\n")
    ])
    let result = try luareact("test", "--junit", "report.xml", "a.lua", folder: folder.path)
    #expect(result.code == 1)
    let reader = """
      import sys, xml.etree.ElementTree as tree
      root = tree.parse(sys.argv[1]).getroot()
      for case in root.iter("testcase"):
          print(case.get("classname"), case.get("name"), [part.tag for part in case])
      print(root.get("tests"), root.get("failures"), root.get("skipped"))
      print(root.find("testsuite/system-out").text)
      """
    let read = try CommandTests.run("python3", ["-c", reader, folder.path + "/report.xml"])
    #expect(
      read.output == """
        a.lua good []
        a.lua "bad" <1> ['failure']
        a.lua not ['skipped']
        3 1 1
        <out&put>?


        """, "\(read.errors)")
  }

  @Test(arguments: [
    ["test"], ["test", "--jobs", "0", "."], ["test", "--timeout", "-1", "."],
    ["test", "--nothing", "."], ["test", "no/such/folder"], ["test", "--junit", "/", "x.lua"],
  ])
  func `a command line that makes no sense is exit 2`(words: [String]) throws {
    let folder = try Folder(["x.lua": ""])
    let child = try Child(Paths.command, words, folder: folder.path)
    let result = try child.finish()
    #expect(result.code == 2)
    #expect(result.errors.hasPrefix("luareact: "))
  }

  @Test func `leaves no process and no descriptor behind`() throws {
    let script = """
      local before = io.popen("ls /proc/self/fd | wc -l"):read "n"
      local shell = "%s test %s >/dev/null; ls /proc/self/fd | wc -l"
      assert(io.popen(shell:format(arg[1], arg[2])):read "n" == before)
      """
    let folder = try Folder(["a.lua": "os.execute 'sleep 0'", "b.lua": "os.execute 'sleep 30 &'"])
    expectSuccess(try luareact("-", Paths.command, folder.path + "/a.lua", input: script))
    // What a file started holds its output open, and holds nobody up.
    let result = try luareact("test", "b.lua", folder: folder.path)
    expectSuccess(result)
  }
}
