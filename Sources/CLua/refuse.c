// Why a call cannot wait where it is: the message names what stands in between.
#include <stdio.h>
#include <string.h>

#include "internal.h"

/// Finds the name of the function on top of the stack among the loaded modules, as the traceback
/// of the library does: "table.sort". Leaves the stack as it was.
static bool find_name(lua_State *L, char *name, size_t size) {
  int top = lua_gettop(L);
  bool found = false;
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  while (!found && lua_next(L, top + 1)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1)) {
      lua_pushnil(L);
      while (!found && lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_rawequal(L, -1, top)) {
          const char *module = lua_tostring(L, -4);
          bool global = strcmp(module, LUA_GNAME) == 0;
          snprintf(name, size, "%s%s%s", global ? "" : module, global ? "" : ".",
            lua_tostring(L, -2));
          found = true;
        }
        lua_pop(L, 1);
      }
    }
    if (!found) lua_pop(L, 1);
  }
  lua_settop(L, top);
  return found;
}

/// C functions that may be suspended while they call.
static bool is_transparent(const char *name) {
  static const char *const names[] = {"pcall", "xpcall", "pairs", "coroutine.resume"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(name, names[i]) == 0) return true;
  }
  return false;
}

/// Finds the innermost C function of coroutine `co` through which a wait cannot pass.
static bool find_culprit(lua_State *L, lua_State *co, int level, char *name, size_t size) {
  lua_Debug ar;
  for (; lua_getstack(co, level, &ar) && lua_getinfo(co, "nS", &ar); level++) {
    if (ar.name && strcmp(ar.name, "__gc") == 0) {
      snprintf(name, size, "a finalizer (__gc)");
      return true;
    }
    if (ar.what[0] != 'C' || level == 0 || !lua_checkstack(co, 1)) continue;
    lua_getinfo(co, "f", &ar);
    if (co != L) lua_xmove(co, L, 1);
    bool ours = lua_tocfunction(L, -1) == lr_task_base;
    bool named = find_name(L, name, size);
    lua_pop(L, 1);
    if (ours || (named && is_transparent(name))) continue;
    if (!named) snprintf(name, size, "'%s'", ar.name ? ar.name : "a C function");
    return true;
  }
  return false;
}

/// Raises an error that says why function `name` cannot wait here.
void lr_refuse_wait(lua_State *L, lr_host *h, const char *name) {
  char culprit[80] = "a C function";
  luaL_checkstack(L, 12, NULL);
  bool found = find_culprit(L, L, 0, culprit, sizeof culprit);
  if (found || (h->task && h->running == L)) {
    for (lr_resumer *r = h->resumers; !found && r; r = r->previous) {
      found = find_culprit(L, r->thread, 1, culprit, sizeof culprit);
    }
    lr_misuse(L, "'%s' cannot wait here: %s cannot be suspended", name, culprit);
  }
  if (!h->task) lr_misuse(L, "'%s' waits, and may be called in a task only", name);
  lr_misuse(L, "'%s' cannot wait in a coroutine that is being closed, or that a C module "
    "resumed", name);
}
