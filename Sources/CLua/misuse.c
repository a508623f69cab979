// Errors of misuse: they name the function as the manual does, and point at the line of the script.
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "internal.h"

/// Whether a frame is a line of a script: not C, and not a module that is built in.
bool lr_is_script(const lua_Debug *ar) {
  return ar->currentline > 0 && strncmp(ar->source, "=[reactor", 9) != 0;
}

/// Pushes "file:line: " of the innermost line of a script, or "" where there is none.
static void push_where(lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (!lr_is_script(&ar)) continue;
    lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
    return;
  }
  lua_pushliteral(L, "");
}

/// Raises the text on top of the stack.
int lr_raise_text(lua_State *L) {
  push_where(L);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return lua_error(L);
}

int lr_misuse(lua_State *L, const char *format, ...) {
  luaL_checkstack(L, 4, NULL);
  va_list values;
  va_start(values, format);
  lua_pushvfstring(L, format, values);
  va_end(values);
  return lr_raise_text(L);
}

/// Whether a script does not count the handle among the arguments: it calls `handle:name(…)`, or
/// a function such as io.read, which puts the handle there.
static bool is_method_call(lua_State *L) {
  lua_Debug ar;
  if (!lua_getstack(L, 0, &ar)) return false;
  bool by_name = false;
  for (int level = 1;; level++) {
    lua_getinfo(L, "n", &ar);
    by_name = strcmp(ar.namewhat, "method") == 0;
    if (!lua_getstack(L, level, &ar) || !lua_getinfo(L, "Sl", &ar)) break;
    if (ar.what[0] == 'C' || lr_is_script(&ar)) break;  // the caller of what the script calls
  }
  return by_name || lr_is_bound(L);
}

/// Raises an error of argument number `index`.
int lr_bad_argument(lua_State *L, const char *name, int index, const char *text) {
  if (is_method_call(L)) index -= 1;
  if (index == 0) return lr_misuse(L, "calling '%s' on bad self (%s)", name, text);
  return lr_misuse(L, "bad argument #%d to '%s' (%s)", index, name, text);
}

/// Raises an error of argument number `index`, the value at `at`: it is not `wanted`.
int lr_bad_type(lua_State *L, const char *name, int index, int at, const char *wanted) {
  luaL_checkstack(L, 8, NULL);
  const char *got = luaL_typename(L, at);
  if (luaL_getmetafield(L, at, "__name") == LUA_TSTRING) got = lua_tostring(L, -1);
  return lr_bad_argument(L, name, index, lua_pushfstring(L, "%s expected, got %s", wanted, got));
}

// MARK: For the Lua parts of modules

/// misuse(text): raises an error at the line of the script that called.
int lr_prelude_misuse(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  return lr_raise_text(L);
}

static bool is_of_kind(lua_State *L, int index, const char *kind) {
  if (strcmp(luaL_typename(L, index), kind) == 0) return true;
  lr_handle_box *box = lr_to_handle(L, index, NULL);
  if (box) return strcmp(box->class->name, kind) == 0;
  if (strcmp(kind, "function") != 0 || !luaL_getmetafield(L, index, "__call")) return false;
  lua_pop(L, 1);
  return true;
}

/// check(name, index, value, kind) -> value. Raises unless argument `index` of function `name` (the
/// handle of a method counts) is of that kind: "string", "number", "table", "function" (anything
/// that can be called), "timeout" (seconds or nil), or a class of handles.
int lr_prelude_check(lua_State *L) {
  lua_settop(L, 4);
  const char *name = luaL_checkstring(L, 1), *kind = luaL_checkstring(L, 4);
  int index = (int)luaL_checkinteger(L, 2);
  if (strcmp(kind, "timeout") == 0) {
    kind = lua_isnil(L, 3) ? "nil" : "number";
    if (lua_type(L, 3) == LUA_TNUMBER && isnan(lua_tonumber(L, 3))) {
      lr_bad_argument(L, name, index, "timeout is not a number (NaN)");
    }
  }
  lua_pushvalue(L, 3);
  if (!is_of_kind(L, -1, kind)) return lr_bad_type(L, name, index, -1, kind);
  return 1;
}
