// The ways to start a task from a script, and a task's own handle.
#include "internal.h"

/// Makes the task live and hands it to the scheduler. Its body and arguments, which are the
/// values from index 1 on, move to its coroutine right after.
static void announce(lua_State *L, lr_host *h, lr_task *task, uint32_t flags) {
  lr_call *c = &h->call;
  c->task = h->task;
  c->caller = L;
  c->result_count = 0;
  lr_task_commit(h, task, flags);
  if (h->spawned(c, task) == LR_RETURN) return;
  lr_task_free(h, task);
  luaL_error(L, "%s", c->results[0].bytes);
}

/// (fn, ...) -> handle. The scheduler learns of the task before this returns.
static int spawn(lua_State *L, uint32_t flags) {
  lr_host *h = lr_host_of(L);
  int n = lua_gettop(L);
  if (n == 0 || lua_type(L, 1) != LUA_TFUNCTION) {
    if (n == 0 || !luaL_getmetafield(L, 1, "__call")) {
      lr_bad_type(L, "spawn", 1, 1, "function");
    }
    lua_settop(L, n);
  }
  lr_task *task = lr_task_make(L, h);
  if (!lua_checkstack(task->thread, n + 2)) lr_misuse(L, "too many arguments to 'spawn'");
  announce(L, h, task, flags);
  lua_pushcfunction(task->thread, lr_task_base);
  lua_insert(L, 1);  // the handle is the result
  lua_xmove(L, task->thread, n);
  task->site = lr_find_site(L, h);
  return 1;
}

int lr_spawn(lua_State *L) { return spawn(L, 0); }
int lr_spawn_detached(lua_State *L) { return spawn(L, LR_TASK_DETACHED); }
int lr_spawn_observed(lua_State *L) { return spawn(L, LR_TASK_OBSERVED); }

/// self() -> the handle of the running task; nil outside of tasks.
int lr_self(lua_State *L) {
  lr_host *h = lr_host_of(L);
  if (!h->task) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->handles);
  if (lua_rawgeti(L, -1, h->task->slot) == LUA_TUSERDATA) return 1;
  lua_pop(L, 1);
  lr_handle_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  box->class = NULL;
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->task_class->metatable);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, h->task->slot);
  *box = (lr_handle_box){h->task_class, h->task->slot, h->task->generation};
  return 1;
}

/// serve_connection(handler, connection [, peer]): a task without a handle, for one connection,
/// which is closed when the task ends.
int lr_serve_connection(lua_State *L) {
  lr_host *h = lr_host_of(L);
  int n = lua_gettop(L);
  luaL_checkany(L, 1);
  lr_handle_box *box = lr_to_handle(L, 2, NULL);
  luaL_argexpected(L, box, 2, "connection");
  lr_task *task = lr_task_take(L, h);
  if (!lua_checkstack(task->thread, n + 2)) return luaL_error(L, "stack overflow");
  announce(L, h, task, LR_TASK_OWNS);
  task->joiners = (void *)((uintptr_t)box->generation << 32 | box->slot);
  lua_pushcfunction(task->thread, lr_task_base);
  lua_xmove(L, task->thread, n);
  task->site = lr_find_site(L, h);
  return 0;
}
