// Functions that take texts as stock Lua's print, write and read do: strings and numbers.
//
// They put their arguments into the form that a leaf takes, and go on as a call of that leaf: it
// runs in the same frame, and may wait.
#include <stdio.h>

#include "internal.h"

static void check_texts(lua_State *L, lr_function *f, int first) {
  int n = lua_gettop(L);
  for (int i = first; i <= n; i++) {
    if (!lua_isstring(L, i)) lr_bad_type(L, f->name, i, i, "string");
  }
}

/// Adds the argument at `index` as stock `write` does: 1.0 is "1", while tostring has "1.0".
static void add_text(lua_State *L, luaL_Buffer *buffer, int index) {
  size_t length;
  if (lua_type(L, index) == LUA_TNUMBER && !lua_isinteger(L, index)) {
    char text[64];
    int n = snprintf(text, sizeof text, LUA_NUMBER_FMT, lua_tonumber(L, index));
    luaL_addlstring(buffer, text, (size_t)n);
  } else {
    const char *bytes = lua_tolstring(L, index, &length);
    luaL_addlstring(buffer, bytes, length);
  }
}

/// Makes one string of the arguments from `first` on.
static void join(lua_State *L, int first) {
  int n = lua_gettop(L);
  if (n == first && lua_type(L, n) == LUA_TSTRING) return;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (int i = first; i <= n; i++) add_text(L, &buffer, i);
  luaL_pushresult(&buffer);
  if (n >= first) {
    lua_replace(L, first);
    lua_settop(L, first);
  }
}

/// Calls a leaf with LR_TEXTS.
int lr_call_texts(lua_State *L) {
  lr_function *f = lua_touserdata(L, lua_upvalueindex(1));
  int first = f->class ? 2 : 1;
  check_texts(L, f, first);
  if (f->joins && lua_gettop(L) >= first - 1) join(L, first);
  return lr_call_function(L);
}

/// A method of whatever is in the box now: io.read is `read` on the default input.
static int call_bound(lua_State *L) {
  lr_function *f = lua_touserdata(L, lua_upvalueindex(1));
  lua_rawgeti(L, lua_upvalueindex(2), lua_tointeger(L, lua_upvalueindex(3)));
  lua_insert(L, 1);
  check_texts(L, f, 2);
  if (lr_to_handle(L, 1, f->class)) return lr_call_texts(L);
  lua_getfield(L, 1, f->name);  // a stream that io.popen made
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/// Whether the function that runs puts its handle before the arguments of the script.
bool lr_is_bound(lua_State *L) {
  lua_Debug ar;
  if (!lua_checkstack(L, 1) || !lua_getstack(L, 0, &ar)) return false;
  lua_getinfo(L, "f", &ar);
  bool bound = lua_tocfunction(L, -1) == call_bound;
  lua_pop(L, 1);
  return bound;
}

/// The prelude's way to such functions: (method, box, index) -> function
int lr_bind(lua_State *L) {
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checkinteger(L, 3);
  lua_settop(L, 3);
  if (!lua_getupvalue(L, 1, 1)) return luaL_argerror(L, 1, "method expected");
  lua_replace(L, 1);
  lua_pushcclosure(L, call_bound, 3);
  return 1;
}

/// print, through the host's standard output, so that its order with io.write is kept.
static int print(lua_State *L) {
  int n = lua_gettop(L);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (int i = 1; i <= n; i++) {
    if (i > 1) luaL_addchar(&buffer, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&buffer);
  }
  luaL_addchar(&buffer, '\n');
  luaL_pushresult(&buffer);
  if (n > 0) lua_replace(L, 1);
  lua_settop(L, 1);
  return lr_call_function(L);
}

/// The prelude's way to give `print` its leaf: (out) -> print
int lr_make_print(lua_State *L) {
  if (!lua_getupvalue(L, 1, 1)) return luaL_argerror(L, 1, "function expected");
  lua_pushcclosure(L, print, 1);
  return 1;
}
