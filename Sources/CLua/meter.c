// The meter: how many instructions scripts may run before they have to wait for something.
//
// A hook of the library counts on every coroutine; a new one inherits it from the one that makes
// it. When nothing is left, an error is raised at every further instruction, so that no `pcall`
// keeps a script going.
#include "internal.h"

#define PORTION 10000  // instructions between two looks at what is left

static int raise_spent(lua_State *L, lr_host *h) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->spent);
  return lua_error(L);
}

static void on_instruction(lua_State *L, lua_Debug *ar) {
  (void)ar;
  raise_spent(L, lr_host_of(L));
}

static void on_portion(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lr_host *h = lr_host_of(L);
  h->allowance -= PORTION;
  if (h->allowance > 0 || !h->task) return;
  if (!h->spent) {
    luaL_traceback(L, L, "a task ran on and on without waiting for anything", 0);
    h->spent = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  lua_sethook(L, on_instruction, LUA_MASKCOUNT, 1);
  for (lr_resumer *r = h->resumers; r; r = r->previous) {
    lua_sethook(r->thread, on_instruction, LUA_MASKCOUNT, 1);
  }
  raise_spent(L, h);
}

void lr_meter_start(lr_host *h) {
  h->is_metered = true;
  h->allowance = INT64_MAX;
  lr_meter_reset(h, h->L);
}

void lr_meter_reset(lr_host *h, lua_State *L) {
  if (lua_gethook(L) == on_portion) return;
  lua_sethook(L, h->is_metered ? on_portion : NULL, h->is_metered ? LUA_MASKCOUNT : 0, PORTION);
}

void lr_meter_allow(lr_host *h, int64_t instructions) { h->allowance = instructions; }
int32_t lr_meter_is_spent(const lr_host *h) { return h->spent != 0; }
