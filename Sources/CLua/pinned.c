// What the standard libraries of a pinned state do otherwise: nothing in them depends on the
// process, on its surroundings, or on where in memory the library is.
#include <string.h>

#include "internal.h"

// MARK: Functions as keys

/// Makes a closure of the light C function on top, the same one each time. A light function
/// is hashed and printed by its address in the library, a closure by its own.
static void close_function(lua_State *L, int closures) {
  lua_pushvalue(L, -1);
  if (lua_rawget(L, closures) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_CFunction function = lua_tocfunction(L, -1);
    lua_pushboolean(L, 0);
    lua_pushcclosure(L, function, 1);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, closures);
  }
  lua_remove(L, -2);
}

static bool is_light(lua_State *L, int index) {
  if (!lua_iscfunction(L, index)) return false;
  if (!lua_getupvalue(L, index, 1)) return true;
  lua_pop(L, 1);
  return false;
}

/// Replaces every light C function in the table on top, and in what is reached from there.
static void close_functions(lua_State *L, int closures) {
  luaL_checkstack(L, 8, NULL);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, closures) != LUA_TNIL) return lua_pop(L, 1);  // seen
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_pushboolean(L, 1);
  lua_rawset(L, closures);
  if (lua_getmetatable(L, -1)) {
    close_functions(L, closures);
    lua_pop(L, 1);
  }
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (is_light(L, -1)) {
      close_function(L, closures);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4);
      continue;
    }
    if (lua_istable(L, -1)) close_functions(L, closures);
    lua_pop(L, 1);
  }
}

// MARK: Functions that answer functions

static int pairs_continued(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 3;
}

static int pinned_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
  }
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 3, 0, pairs_continued);
  return 3;
}

/// The next step of ipairs.
static int next_index(lua_State *L) {
  lua_Integer i = (lua_Integer)((lua_Unsigned)luaL_checkinteger(L, 2) + 1);
  lua_pushinteger(L, i);
  return lua_geti(L, 1, i) == LUA_TNIL ? 1 : 2;
}

static int pinned_ipairs(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

/// utf8.codes, with the stock function and the table of its iterators' closures.
static int pinned_codes(lua_State *L) {
  int n = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, n, 3);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, 1);
  close_function(L, lua_absindex(L, -2));
  lua_replace(L, 1);
  lua_settop(L, 3);
  return 3;
}

// MARK: Functions that reach out

static int set_locale(lua_State *L) {
  const char *name = luaL_optstring(L, 1, NULL);
  bool known = !name || !*name || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
  lua_pushstring(L, known ? "C" : NULL);
  return 1;
}

static int refuse_command(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_pushboolean(L, 0);  // there is no shell
    return 1;
  }
  return luaL_error(L, "'%s' is not supported in a simulation", "os.execute");
}

static int refuse_popen(lua_State *L) {
  return luaL_error(L, "'%s' is not supported in a simulation", "io.popen");
}

/// The hooks count instructions here, for the whole state (meter.c).
static int refuse_hook(lua_State *L) {
  return luaL_error(L, "'%s' is not supported in a simulation", "debug.sethook");
}

/// The searcher that stands for those of C modules.
static int refuse_module(lua_State *L) {
  lua_pushfstring(L, "no C module '%s': a simulation cannot pin machine code, whose clocks, hashes"
    " and random numbers would differ from run to run", luaL_checkstring(L, 1));
  return 1;
}

static int refuse_library(lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "a simulation loads no C library");
  lua_pushliteral(L, "absent");
  return 3;
}

static const struct {
  const char *library, *name;
  lua_CFunction function;
} replaced[] = {
  {LUA_OSLIBNAME, "time", lr_civil_time}, {LUA_OSLIBNAME, "date", lr_civil_date},
  {LUA_OSLIBNAME, "setlocale", set_locale}, {LUA_OSLIBNAME, "execute", refuse_command},
  {LUA_IOLIBNAME, "popen", refuse_popen}, {LUA_DBLIBNAME, "sethook", refuse_hook},
  {LUA_LOADLIBNAME, "loadlib", refuse_library},
};

static void replace_searchers(lua_State *L) {
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_getfield(L, -1, "searchers");
  lua_pushcfunction(L, refuse_module);
  lua_rawseti(L, -2, 3);
  lua_pushnil(L);
  lua_rawseti(L, -2, 4);
  lua_pop(L, 2);
}

/// Gives library.name a closure over the value on top, which it pops.
static void enclose(lua_State *L, const char *library, const char *name, lua_CFunction function) {
  lua_pushcclosure(L, function, 1);
  lua_getglobal(L, library);
  lua_insert(L, -2);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

/// Replaces what differs between runs. It comes after all that puts C functions into tables.
void lr_open_pinned(lua_State *L) {
  for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
    lua_getglobal(L, replaced[i].library);
    lua_pushcfunction(L, replaced[i].function);
    lua_setfield(L, -2, replaced[i].name);
    lua_pop(L, 1);
  }
  replace_searchers(L);
  lua_newtable(L);  // light functions -> closures, and the tables that were seen
  int closures = lua_gettop(L);
  lua_pushvalue(L, LUA_REGISTRYINDEX);
  close_functions(L, closures);
  lua_pop(L, 1);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  close_functions(L, closures);
  lua_pop(L, 2);

  lua_getglobal(L, "next");
  enclose(L, LUA_GNAME, "pairs", pinned_pairs);
  lua_pushboolean(L, 0);
  lua_pushcclosure(L, next_index, 1);
  enclose(L, LUA_GNAME, "ipairs", pinned_ipairs);
  lua_getglobal(L, LUA_UTF8LIBNAME);
  lua_getfield(L, -1, "codes");
  lua_newtable(L);
  lua_pushcclosure(L, pinned_codes, 2);
  lua_setfield(L, -2, "codes");
  lua_pop(L, 2);
}
