// How a task runs and what becomes of it: its body under a protected call, its results or its
// error, and how both reach the task's handle.
#include "internal.h"

/// The message handler of every task: keeps the traceback, and leaves the error as it is.
static int make_trace(lua_State *L) {
  lua_State *from = lua_touserdata(L, 1);
  lr_host *h = lr_host_of(L);
  luaL_traceback(L, from, NULL, 2);  // above this function and its caller
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->traces);
  lua_insert(L, -2);
  lua_rawseti(L, -2, h->task->slot);
  return 0;
}

int lr_task_handler(lua_State *L) {
  if (lua_checkstack(L, 20)) {
    lua_pushcfunction(L, make_trace);
    lua_pushlightuserdata(L, L);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);  // no memory for it: go without
  }
  return 1;
}

/// The end of a task's body: the results, at most one value, or the error object.
static int body_ended(lua_State *L, int status, lua_KContext context) {
  lr_task *task = (lr_task *)context;
  if (status != LUA_OK && status != LUA_YIELD) {
    task->flags |= LR_TASK_FAILED;
    return 1;
  }
  int n = lua_gettop(L) - 1;
  if (n <= 1) return n;
  luaL_checkstack(L, 4, NULL);
  lua_createtable(L, n, 1);  // several results travel as one packed table
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
  lua_insert(L, 2);
  for (int i = n; i >= 1; i--) lua_rawseti(L, 2, i);
  task->flags |= LR_TASK_PACKED;
  return 1;
}

/// The base of every task: (lr_task_handler, fn, ...), which is fn(...) under a protected call.
int lr_task_base(lua_State *L) {
  lua_KContext context = (lua_KContext)lr_host_of(L)->task;
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, context, body_ended);
  return body_ended(L, status, context);
}

/// Moves a body and its arguments, the `n` values on top of `L`, to a task that has not begun.
void lr_task_fill(lua_State *L, lr_task *task, int n) {
  lua_pushcfunction(task->thread, lr_task_base);
  lua_pushcfunction(task->thread, lr_task_handler);
  lua_xmove(L, task->thread, n);
}

// MARK: Errors of children

// An error that there was no memory to keep is no entry; nil is a value that no script can have.
static char nil_error;

typedef struct {
  lr_task *parent, *child;
} inherit_request;

/// Pushes the error that a child of the task left for it, which is none of the task's own.
static void push_inherited(lua_State *L, lr_host *h, lr_task *task) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->inherited);
  int kind = lua_rawgeti(L, -1, task->slot);
  if (kind == LUA_TNIL) {
    lua_pop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->no_memory);
  } else if (kind == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == &nil_error) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  lua_remove(L, -2);
}

static int inherit(lua_State *L) {
  inherit_request *r = lua_touserdata(L, 1);
  lr_host *h = lr_host_of(L);
  lua_State *T = r->child->thread;
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->inherited);
  if (r->child->flags & LR_TASK_INHERITED) {
    lua_rawgeti(L, -1, r->child->slot);
  } else {
    if (!lua_checkstack(T, 1)) return luaL_error(L, "not enough memory");
    lua_pushvalue(T, -1);  // the child's own outcome stays
    lua_xmove(T, L, 1);
    if (lua_isnil(L, -1)) lua_pushlightuserdata(L, &nil_error);
  }
  lua_rawseti(L, 2, r->parent->slot);
  return 0;
}

void lr_task_inherit(lr_host *h, lr_task *parent, lr_task *child) {
  parent->flags |= LR_TASK_INHERITED;
  inherit_request r = {parent, child};
  lr_protect(h, inherit, &r);
}

/// Takes a task's entry out of a table by slot, so that the next task in the slot never gets it.
/// Needs no memory.
static void forget(lr_host *h, int table, lr_task *task) {
  lua_rawgeti(h->L, LUA_REGISTRYINDEX, table);
  lua_pushnil(h->L);
  lua_rawseti(h->L, -2, task->slot);
  lua_pop(h->L, 1);
}

// MARK: The outcome

/// Moves a task's outcome into its handle, if a script still has that. An error that a child of
/// the task left for it counts more than its own outcome. Needs no memory.
void lr_task_settle(lr_host *h, lr_task *task) {
  lua_State *M = h->L, *T = task->thread;
  bool inherited = task->flags & LR_TASK_INHERITED;
  bool failed = task->flags & (LR_TASK_INHERITED | LR_TASK_FAILED);
  if (task->flags & LR_TASK_KNOWN) forget(h, h->known, task);
  if (!failed && lua_gettop(T) == 0) return;  // that it has ended is all there is to know
  lua_rawgeti(M, LUA_REGISTRYINDEX, h->handles);
  lua_rawgeti(M, -1, task->slot);
  lr_handle_box *box = lr_to_handle(M, -1, h->task_class);
  if (box && box->generation == task->generation) {
    if (inherited) push_inherited(M, h, task); else lua_xmove(T, M, 1);
    lua_setiuservalue(M, -2, 1);
    uint32_t packed = inherited ? 0 : task->flags & LR_TASK_PACKED;
    box->generation = 0;  // ended: `slot` now says how
    box->slot = LR_HAS_RESULT | packed | (failed ? LR_TASK_FAILED : 0);
  }
  lua_pop(M, 2);
  if (inherited) forget(h, h->inherited, task);
}

/// Pushes the results of the ended task in argument 1, or raises its error.
int lr_push_task_result(lua_State *L, lr_handle_box *box) {
  lua_settop(L, 1);
  uint32_t state = box->slot;
  if (box->generation != 0 || !(state & LR_HAS_RESULT)) return 0;
  lua_getiuservalue(L, 1, 1);
  if (state & LR_TASK_FAILED) return lua_error(L);
  if (!(state & LR_TASK_PACKED)) return 1;
  lua_getfield(L, 2, "n");
  int n = (int)lua_tointeger(L, -1);
  luaL_checkstack(L, n, "too many results");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, 2, i);
  return n;
}

static void make_table(lua_State *L, int *reference, const char *mode) {
  lua_newtable(L);
  if (mode) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  *reference = luaL_ref(L, LUA_REGISTRYINDEX);
}

void lr_open_tasks(lua_State *L, lr_host *h) {
  make_table(L, &h->threads, NULL);
  make_table(L, &h->handles, "v");
  make_table(L, &h->known, NULL);
  make_table(L, &h->traces, NULL);
  make_table(L, &h->inherited, NULL);
  lua_pushliteral(L, "not enough memory");
  h->no_memory = luaL_ref(L, LUA_REGISTRYINDEX);
}
