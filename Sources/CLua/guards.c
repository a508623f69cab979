// What the stock library of Debian's 5.4.4 needs around it, and the base functions that are ours.
#include <string.h>

#include "internal.h"

/// Ties a metatable to its table until another one replaces it, in a table with weak keys. The
/// collector of the library does not mark a new metatable of a table whose keys and values are
/// both weak, frees it, and reads it (fixed upstream, 1b0f943d).
static void anchor_metatable(lua_State *L) {
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_rawset(L, lua_upvalueindex(1));
}

/// setmetatable, which refuses a metatable that is itself a weak table: the library reads freed
/// memory when an emergency collection clears `__newindex` of one (fixed upstream, 983bc433).
static int set_metatable(lua_State *L) {
  int t = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, t == LUA_TNIL || t == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) {
    return luaL_error(L, "cannot change a protected metatable");
  }
  if (t == LUA_TTABLE && lua_getmetatable(L, 2)) {
    lua_pushliteral(L, "__mode");
    if (lua_rawget(L, -2) != LUA_TNIL) {
      return luaL_error(L, "a metatable cannot be a weak table (its own metatable has __mode)");
    }
  }
  lua_settop(L, 2);
  if (lua_getmetatable(L, 1)) {
    lua_settop(L, 2);
    anchor_metatable(L);
  }
  lua_setmetatable(L, 1);
  return 1;
}

/// collectgarbage, in which "generational" changes nothing: every minor collection would walk
/// every parked coroutine. It answers "incremental", the mode that was and stays in use.
static int collect_garbage(lua_State *L) {
  if (lua_gettop(L) >= 2) lr_host_of(L)->script_paces = true;
  if (lua_type(L, 1) == LUA_TSTRING && strcmp(lua_tostring(L, 1), "generational") == 0) {
    lua_pushliteral(L, "incremental");
    return 1;
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

#define SMALL_HEAP (1024 * 1024)

void lr_pace_collector(lr_host *h) {
  bool small = h->allocator.bytes < SMALL_HEAP;
  if (small == h->small_heap || h->script_paces) return;
  h->small_heap = small;
  // The pause in per cent of the heap that is left after a collection: 1,000 is the most.
  lua_gc(h->L, LUA_GCINC, small ? 1000 : 200, 100, 0);
}

/// A protected call from the stock library that a script could otherwise reach by `debug`:
/// the registry holds our coroutines, so a script that asks for it holds them all.
static int get_registry(lua_State *L) {
  lr_host_of(L)->native_code = true;
  lua_pushvalue(L, LUA_REGISTRYINDEX);
  return 1;
}

/// Notes that a C module was loaded: it can hold coroutines that we do not know of.
int lr_note_native_code(lua_State *L) {
  lr_host_of(L)->native_code = true;
  return 0;
}

/// Messages that the library makes when it has no memory left to make them. A panic follows when
/// one cannot be made, so they exist from the start, and short strings are found again.
static const char *const anchored[] = {
  "error in error handling", "cannot resume dead coroutine",
  "cannot resume non-suspended coroutine", "C stack overflow", "not enough memory",
};

/// Puts a C function in the place of a stock one, which it may get as its upvalue.
static void replace(lua_State *L, const char *table, const char *name, lua_CFunction function,
  bool keep_stock) {
  if (table) lua_getglobal(L, table); else lua_pushglobaltable(L);
  if (keep_stock) lua_getfield(L, -1, name);
  lua_pushcclosure(L, function, keep_stock ? 1 : 0);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

void lr_open_guards(lua_State *L, lr_host *h) {
  (void)h;
  for (size_t i = 0; i < sizeof anchored / sizeof *anchored; i++) {
    lua_pushstring(L, anchored[i]);
    luaL_ref(L, LUA_REGISTRYINDEX);
  }
  lua_newtable(L);  // metatables by the tables that they replaced another one of
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushcclosure(L, set_metatable, 1);
  lua_setglobal(L, "setmetatable");
  replace(L, NULL, "collectgarbage", collect_garbage, true);
  replace(L, LUA_DBLIBNAME, "getregistry", get_registry, false);
  replace(L, LUA_TABLIBNAME, "sort", lr_sort, false);
}
