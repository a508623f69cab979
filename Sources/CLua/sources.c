// The Lua source that is built into the binary: each file of LuaHost's Prelude folder.
#include "CLua.h"

// `#embed` is C23; the compiler that comes with Swift has it in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const char base[] = {
#embed "../LuaHost/Prelude/base.lua"
};
static const char io[] = {
#embed "../LuaHost/Prelude/io.lua"
};
static const char reactor[] = {
#embed "../LuaHost/Prelude/reactor.lua"
};
static const char net[] = {
#embed "../LuaHost/Prelude/net.lua"
};
static const char fs[] = {
#embed "../LuaHost/Prelude/fs.lua"
};
static const char task[] = {
#embed "../LuaHost/Prelude/task.lua"
};
static const char test[] = {
#embed "../LuaHost/Prelude/test.lua"
};
static const char test_run[] = {
#embed "../LuaHost/Prelude/test_run.lua"
};
static const char expect[] = {
#embed "../LuaHost/Prelude/expect.lua"
};
static const char show[] = {
#embed "../LuaHost/Prelude/show.lua"
};

static const lr_source lr_sources[] = {
  {"reactor.base", base, sizeof base},
  {"reactor.io", io, sizeof io},
  {"reactor", reactor, sizeof reactor},
  {"reactor.net", net, sizeof net},
  {"reactor.fs", fs, sizeof fs},
  {"reactor.task", task, sizeof task},
  {"reactor.test", test, sizeof test},
  {"reactor.test.run", test_run, sizeof test_run},
  {"reactor.test.expect", expect, sizeof expect},
  {"reactor.test.show", show, sizeof show},
};
const size_t lr_source_count = sizeof lr_sources / sizeof *lr_sources;

const lr_source *lr_source_at(size_t index) { return &lr_sources[index]; }
