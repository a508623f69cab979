import Testing

@Suite struct `The script of the command` {
  @Test func `everything after its name is its own, unparsed`() throws {
    let folder = try Folder(["args.lua": "print(#arg, ...)"])
    let result = try luareact("args.lua", "-x", "--help", "--", "-e", folder: folder.path)
    expectSuccess(result)
    #expect(result.output == "4\t-x\t--help\t--\t-e\n")
  }

  @Test func `arg holds the script at 0 and what stands before it below`() throws {
    let folder = try Folder(["args.lua": "for i = -4, 2 do print(i, arg[i]) end"])
    let result = try luareact("-e", "y = 1", "args.lua", "one", folder: folder.path)
    expectSuccess(result)
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines[0] == "-4\tnil")
    #expect(lines[1].hasSuffix("luareact"))
    #expect(lines[2...] == ["-2\t-e", "-1\ty = 1", "0\targs.lua", "1\tone", "2\tnil"])
  }

  @Test func `arguments keep bytes that are no text`() throws {
    let result = try luareact("-", "\u{e9}\u{1F600}", input: "print(#..., (...):byte(1, -1))")
    expectSuccess(result)
    #expect(result.output == "6\t195\t169\t240\t159\t152\t128\n")
  }

  @Test func `-- ends the options`() throws {
    let folder = try Folder(["-v": "print('a script', ...)"])
    let result = try luareact("--", "-v", "x", folder: folder.path)
    expectSuccess(result)
    #expect(result.output == "a script\tx\n")
  }

  @Test func `- runs standard input with its arguments`() throws {
    let result = try luareact("-", "a", "b", input: "print(arg[0], ...)")
    expectSuccess(result)
    #expect(result.output == "-\ta\tb\n")
  }

  @Test func `without a word it runs standard input`() throws {
    let result = try luareact(input: "#!/usr/bin/env luareact\nprint 'from stdin'")
    expectSuccess(result)
    #expect(result.output == "from stdin\n")
  }

  @Test func `a first line that begins with # is skipped, and lines keep their numbers`() throws {
    let folder = try Folder(["shebang.lua": "#!/usr/bin/env luareact\nprint 'ran'\nerror 'here'\n"])
    let result = try luareact("shebang.lua", folder: folder.path)
    #expect(result.output == "ran\n")
    #expect(result.errors.hasPrefix("luareact: shebang.lua:3: here\n"))
    #expect(result.code == 1)
  }

  @Test func `a byte order mark is skipped`() throws {
    let folder = try Folder(["mark.lua": "\u{FEFF}print 'ran'"])
    let result = try luareact("mark.lua", folder: folder.path)
    expectSuccess(result)
    #expect(result.output == "ran\n")
  }

  @Test func `one that is missing is one line, and exit 2`() throws {
    let result = try luareact("no/such/script.lua")
    #expect(
      result.errors == "luareact: cannot open no/such/script.lua: no such file or directory\n")
    #expect(result.output == "")
    #expect(result.code == 2)
  }

  @Test func `a folder is not a script`() throws {
    let result = try luareact("scripts")
    #expect(result.errors == "luareact: cannot read scripts: is a directory\n")
    #expect(result.code == 2)
  }

  @Test func `bytecode is refused`() throws {
    let result = try luareact(
      "-e", "io.write(string.dump(function() end))")
    let refused = try luareact("-e", "print(load(string.dump(function() end), 'b', 't'))")
    #expect(result.code == 0)
    #expect(refused.output.contains("attempt to load a binary chunk"))
  }

  @Test func `it may raise its limit of descriptors no further`() throws {
    let folder = try Folder(["limit.lua": "for l in io.lines '/proc/self/limits' do print(l) end"])
    let result = try luareact("limit.lua", folder: folder.path)
    let line = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("Max open") })
    let words = line.split(separator: " ")
    #expect(words[3] == words[4])
  }

  @Test func `output is whole and in order when it is piped`() throws {
    let result = try luareact("-e", "for i = 1, 20000 do print(i) io.write('w', i, '\\n') end")
    expectSuccess(result)
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 40_000)
    #expect(lines[39_999] == "w20000")
  }

  @Test func `--plain is stock Lua`() throws {
    let result = try luareact(
      "--plain", "-", "a", input: "print(pcall(require, 'reactor.net')) print(arg[0], ...)")
    #expect(result.output.hasPrefix("false\tmodule 'reactor.net' not found"))
    #expect(result.output.hasSuffix("-\ta\n"))
    #expect(result.code == 0)
  }
}

@Suite struct `Where modules are found` {
  @Test func `beside the script, wherever it is run from`() throws {
    let folder = try Folder([
      "main.lua": "print(require 'beside'.name)", "beside.lua": "return { name = 'found' }",
    ])
    let result = try luareact(folder.path + "/main.lua")
    expectSuccess(result)
    #expect(result.output == "found\n")
  }

  @Test func `then in scripts of the checkout that built the command`() throws {
    let result = try luareact("-e", "print(package.path)", folder: "/")
    expectSuccess(result)
    #expect(result.output.hasPrefix("\(Paths.root)/scripts/lib/?.lua;"))
  }
}
