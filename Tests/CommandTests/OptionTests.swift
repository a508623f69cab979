import Testing

@Suite struct `The options of the command` {
  @Test func `-e runs its string, and several run in order`() throws {
    let result = try luareact("-e", "x = 1", "-e", "print(x + 1)", "-eprint(x + 2)")
    expectSuccess(result)
    #expect(result.output == "2\n3\n")
  }

  @Test func `-l and -e keep the order of the command line`() throws {
    let folder = try Folder(["loud.lua": "print 'loaded' return { n = 5 }"])
    let result = try luareact(
      "-e", "print 'first'", "-l", "loud", "-e", "print(loud.n)", "-l", "m=loud", "-e",
      "print(m == loud)", folder: folder.path)
    expectSuccess(result)
    #expect(result.output == "first\nloaded\n5\ntrue\n")
  }

  @Test func `-l of a module that is not there says where it was looked for`() throws {
    let result = try luareact("-l", "no.such.module")
    #expect(result.errors.contains("module 'no.such.module' not found:"))
    #expect(result.errors.hasPrefix("luareact: "))
    #expect(result.code == 1)
  }

  @Test func `-v prints the version, and the script still runs`() throws {
    let alone = try luareact("-v")
    expectSuccess(alone)
    #expect(alone.output.hasPrefix("luareact "))
    #expect(alone.output.contains("Lua 5.4"))
    let both = try luareact("-v", "-e", "print 'here'")
    #expect(both.output == alone.output + "here\n")
  }

  @Test func `-E ignores the environment`() throws {
    let environment = ["LUA_INIT": "print 'init'", "LUA_PATH": "/nowhere/?.lua"]
    let with = try luareact("-e", "print(package.path)", environment: environment)
    #expect(with.output.hasPrefix("init\n"))
    #expect(with.output.contains("/nowhere/?.lua"))
    let without = try luareact("-E", "-e", "print(package.path)", environment: environment)
    expectSuccess(without)
    #expect(!without.output.hasPrefix("init\n"))
    #expect(!without.output.contains("nowhere"))
  }

  @Test func `LUA_INIT may name a file`() throws {
    let folder = try Folder(["init.lua": "print 'from the file'"])
    let result = try luareact(
      "-e", "print 'then'", environment: ["LUA_INIT": "@\(folder.path)/init.lua"])
    expectSuccess(result)
    #expect(result.output == "from the file\nthen\n")
  }

  @Test func `-W turns warnings on`() throws {
    let off = try luareact("-e", "warn 'careful'")
    expectSuccess(off)
    let on = try luareact("-W", "-e", "warn('care', 'ful')")
    #expect(on.errors == "luareact: warning: careful\n")
    #expect(on.code == 0)
  }

  @Test func `-i prompts after the script and shows what lines give`() throws {
    let result = try luareact(
      "-i", "-e", "x = 20", input: "x + 1\nfor i = 1, 2 do\nprint(i)\nend\n= 'old'\n1, nil\n")
    expectSuccess(result)
    #expect(result.output.contains("21\n"))
    #expect(result.output.contains("1\n2\n"))
    #expect(result.output.contains("old\n"))
    #expect(result.output.contains("1\tnil\n"))
  }

  @Test func `an error at the prompt is reported, and the prompt goes on`() throws {
    let result = try luareact("-i", input: "error 'at the prompt'\nx = = 1\nprint 'still here'\n")
    #expect(result.errors.contains("stdin:1: at the prompt\nstack traceback:"))
    #expect(result.errors.contains("unexpected symbol near '='"))
    #expect(result.output.contains("still here"))
    #expect(result.code == 0)
  }

  @Test func `lines at the prompt may wait`() throws {
    let result = try luareact("-i", input: "require 'reactor.time'.sleep(0.01)\nprint 'slept'\n")
    expectSuccess(result)
    #expect(result.output.contains("slept"))
  }

  @Test(arguments: ["-x", "--nothing", "-vx", "-e", "-l"])
  func `a word that is no option, or lacks its value, prints the usage`(word: String) throws {
    let result = try luareact(word)
    #expect(result.errors.hasPrefix("luareact: "))
    #expect(result.errors.contains("luareact [options] [script [args]]"))
    #expect(result.output == "")
    #expect(result.code == 2)
  }

  @Test func `--help tells the options on standard output`() throws {
    let result = try luareact("--help")
    expectSuccess(result)
    for option in ["-e <stat>", "-l <mod>", "-i", "-v", "-E", "-W", "--plain"] {
      #expect(result.output.contains(option))
    }
  }
}
