// The ways to start a task from a script, and a task's own handle.
#include "internal.h"

// Upvalues of the functions of this file.
#define METATABLE lua_upvalueindex(1)  // of the class of tasks
#define HANDLES lua_upvalueindex(2)    // by slot
#define OPTIONS lua_upvalueindex(3)    // of `spawn` alone: what takes a table of options
#define KNOWN lua_upvalueindex(3)      // of `self` alone: the handles that tasks know as theirs

/// Makes the task live and hands it to the scheduler.
static void announce(lua_State *L, lr_host *h, lr_task *task, uint32_t flags) {
  lr_task_commit(h, task, flags);
  task->site = lr_find_site(L, h);
  h->spawned(h->call.context, task, h->task);
}

/// Pushes a new handle that names no task yet.
static lr_handle_box *push_handle(lua_State *L) {
  lr_handle_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  box->class = NULL;
  lua_pushvalue(L, METATABLE);
  lua_setmetatable(L, -2);
  return box;
}

/// Lets a task be found by the handle on top of the stack, and the handle by its task.
static void name(lua_State *L, lr_host *h, lr_handle_box *box, lr_task *task) {
  lua_pushvalue(L, -1);
  lua_rawseti(L, HANDLES, task->slot);
  *box = (lr_handle_box){h->task_class, task->slot, task->generation};
}

/// (fn, ...) -> handle. The scheduler learns of the task before this returns.
/// Raises when there is no memory, and then nothing has changed.
static int spawn(lua_State *L, uint32_t flags) {
  lr_host *h = lr_host_of(L);
  int n = lua_gettop(L);
  if (UNLIKELY(lua_type(L, 1) != LUA_TFUNCTION)) {
    if (n == 0 || !luaL_getmetafield(L, 1, "__call")) {
      lr_bad_type(L, "spawn", 1, 1, "function");
    }
    lua_settop(L, n);
  }
  lr_handle_box *box = push_handle(L);
  lr_task *task = lr_task_take(L, h);
  if (!lua_checkstack(task->thread, n + 3)) lr_misuse(L, "too many arguments to 'spawn'");
  name(L, h, box, task);
  lua_insert(L, 1);  // the handle is the result
  lr_task_fill(L, task, n);
  announce(L, h, task, flags);
  return 1;
}

static int spawn_child(lua_State *L) { return spawn(L, 0); }
static int spawn_detached(lua_State *L) { return spawn(L, LR_TASK_DETACHED); }
static int spawn_observed(lua_State *L) { return spawn(L, LR_TASK_OBSERVED); }

/// spawn([options,] fn, ...)
static int spawn_any(lua_State *L) {
  if (UNLIKELY(lua_type(L, 1) == LUA_TTABLE)) {
    if (lua_getmetatable(L, 1)) {
      lua_pop(L, 1);
      return spawn(L, 0);
    }
    lua_pushvalue(L, OPTIONS);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
  }
  return spawn(L, 0);
}

/// The prelude's way to `spawn`: (function for a table of options) -> spawn
static int make_spawn(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushvalue(L, METATABLE);
  lua_pushvalue(L, HANDLES);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, spawn_any, 3);
  return 1;
}

/// self() -> the handle of the running task; nil outside of tasks. From then on it lives as long
/// as the task, so that a table with weak keys can say something of the task.
static int self(lua_State *L) {
  lr_host *h = lr_host_of(L);
  lr_task *task = h->task;
  if (!task) return 0;
  lua_rawgeti(L, HANDLES, task->slot);
  if (task->flags & LR_TASK_KNOWN) return 1;
  lr_handle_box *box = lr_to_handle(L, -1, h->task_class);
  if (!box || box->generation != task->generation) name(L, h, push_handle(L), task);
  lua_pushvalue(L, -1);
  lua_rawseti(L, KNOWN, task->slot);
  task->flags |= LR_TASK_KNOWN;
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
  if (!lua_checkstack(task->thread, n + 3)) return luaL_error(L, "stack overflow");
  void *owned = (void *)((uintptr_t)box->generation << 32 | box->slot);
  lr_task_fill(L, task, n);
  announce(L, h, task, LR_TASK_OWNS);
  task->joiners = owned;
  return 0;
}

static const luaL_Reg functions[] = {
  {"make_spawn", make_spawn}, {"spawn", spawn_child}, {"spawn_detached", spawn_detached},
  {"spawn_observed", spawn_observed}, {NULL, NULL},
};

/// Called when the class of tasks is there.
void lr_open_spawning(lua_State *L, lr_host *h) {
  lr_push_natives(L, h, "reactor.task");
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->task_class->metatable);
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->handles);
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->known);
  lua_pushcclosure(L, self, 3);
  lua_setfield(L, -2, "self");
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->task_class->metatable);
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->handles);
  luaL_setfuncs(L, functions, 2);
  lua_pop(L, 1);
}
