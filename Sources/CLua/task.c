// Tasks: slots with a coroutine each, spawned, resumed, and used again.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

lr_task *lr_task_at(lr_host *h, uint32_t slot) {
  if (slot == 0 || slot >= h->task_used) return NULL;
  return &h->task_chunks[slot / LR_TASK_CHUNK][slot % LR_TASK_CHUNK];
}

uint32_t lr_task_limit(const lr_host *h) { return h->task_used; }
size_t lr_task_live(const lr_host *h) { return h->live; }

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

static int on_error(lua_State *L) {
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

/// The base of every task: (fn, ...) under a protected call.
int lr_task_base(lua_State *L) {
  lr_task *task = lr_host_of(L)->task;
  lua_pushcfunction(L, on_error);
  lua_insert(L, 1);
  lua_KContext context = (lua_KContext)task;
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, context, body_ended);
  return body_ended(L, status, context);
}

static lr_task *take_slot(lr_host *h) {
  if (h->free_count > 0) return lr_task_at(h, h->free_tasks[h->free_count - 1]);
  if (h->task_used / LR_TASK_CHUNK >= h->task_chunk_count) {
    uint32_t n = h->task_chunk_count + 1;
    lr_task **chunks = realloc(h->task_chunks, n * sizeof *chunks);
    if (chunks) h->task_chunks = chunks;
    uint32_t *slots = realloc(h->free_tasks, n * LR_TASK_CHUNK * sizeof *slots);
    if (slots) h->free_tasks = slots;
    lr_task *chunk = calloc(LR_TASK_CHUNK, sizeof *chunk);
    if (!chunks || !slots || !chunk) {
      free(chunk);
      return NULL;
    }
    h->task_chunks[h->task_chunk_count++] = chunk;
    if (h->task_used == 0) h->task_used = 1;  // slot 0 names no task
  }
  uint32_t slot = h->task_used++;
  h->free_tasks[h->free_count++] = slot;
  lr_task *task = lr_task_at(h, slot);
  task->slot = slot;
  task->generation = 1;
  return task;
}

/// The slot for the next task, with an idle coroutine that is anchored in the registry.
/// Making a coroutine can run finalizers, and one that spawns takes the slot: look again then.
lr_task *lr_task_take(lua_State *L, lr_host *h) {
  for (;;) {
    lr_task *task = take_slot(h);
    if (!task) luaL_error(L, "not enough memory");
    if (task->thread) return task;
    lua_State *thread = lua_newthread(L);
    if (take_slot(h) == task && !task->thread) {
      *lr_thread_flags(thread) = LR_THREAD_TASK;
      lua_rawgeti(L, LUA_REGISTRYINDEX, h->threads);
      lua_pushvalue(L, -2);
      lua_rawseti(L, -2, task->slot);
      lua_pop(L, 1);
      task->thread = thread;
    }
    lua_pop(L, 1);
  }
}

/// Makes a task that is not live yet, and pushes its handle.
/// Raises when there is no memory, and then nothing has changed.
lr_task *lr_task_make(lua_State *L, lr_host *h) {
  lr_handle_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  box->class = NULL;
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->task_class->metatable);
  lua_setmetatable(L, -2);
  lr_task *task = lr_task_take(L, h);
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->handles);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, task->slot);
  lua_pop(L, 1);
  box->class = h->task_class;
  box->slot = task->slot;
  box->generation = task->generation;
  return task;
}

/// Commits a made task: from here on it is live, and its end frees it.
void lr_task_commit(lr_host *h, lr_task *task, uint32_t flags) {
  h->free_count -= 1;
  h->live += 1;
  task->flags = LR_TASK_LIVE | flags;
  task->reason = LR_FIRST;
  task->site = 0;
  task->shields = 0;
  task->parent = task->first_child = task->previous_sibling = task->next_sibling = 0;
  task->joiners = NULL;
}

/// Moves a task's outcome into its handle, and lets go of both. An error that a child of the
/// task left for it counts more than its own outcome.
static void settle(lr_host *h, lr_task *task) {
  lua_State *M = h->L, *T = task->thread;
  lua_rawgeti(M, LUA_REGISTRYINDEX, h->handles);
  lua_rawgeti(M, -1, task->slot);
  lr_handle_box *box = lua_touserdata(M, -1);
  if (!box) return lua_settop(M, -3);  // nobody ever held it
  uint32_t results = lua_gettop(T) > 0 ? 1 : 0;
  if (task->flags & LR_TASK_INHERITED) {
    task->flags = (task->flags | LR_TASK_FAILED) & ~(uint32_t)LR_TASK_PACKED;
    results = 1;
  } else if (results > 0) {
    lua_xmove(T, M, 1);
    lua_setiuservalue(M, -2, 1);
  }
  box->generation = 0;  // ended: `slot` now says how
  box->slot = results | (task->flags & (LR_TASK_FAILED | LR_TASK_PACKED));
  lua_pop(M, 1);
  lua_pushnil(M);
  lua_rawseti(M, -2, task->slot);
  lua_pop(M, 1);
}

int32_t lr_task_resume(lr_host *h, lr_task *task) {
  lua_State *T = task->thread;
  h->task = task;
  h->running = T;
  h->resumers = NULL;
  h->chain_yields = true;
  h->parking = false;
  task->budget = LR_BUDGET;
  int n = 0;
  int arguments = 0;
  if (UNLIKELY(!(task->flags & LR_TASK_STARTED))) {
    task->flags |= LR_TASK_STARTED;
    arguments = lua_gettop(T) - 1;
  }
  int status = lua_resume(T, NULL, arguments, &n);
  h->running = NULL;
  h->task = NULL;
  if (status == LUA_YIELD) {
    if (__builtin_expect(h->parking, 1)) {
      h->parking = false;
      bool again = h->requeue;
      h->requeue = false;
      return again ? LR_YIELDED : LR_PARKED;
    }
    lua_pop(T, n);  // a stray coroutine.yield(...) in a task is task.yield()
    return LR_YIELDED;
  }
  if (status != LUA_OK) task->flags |= LR_TASK_FAILED;
  if (!(task->flags & LR_TASK_FAILED)) return LR_DONE;
  lr_save_task_error(h, task);
  return LR_FAILED;
}

/// A hook that raises at every instruction, so that nothing catches the error for long.
static void raise_always(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lr_stop(L, lr_host_of(L));
}

/// Lets a coroutine run `instructions` more.
void lr_stop_after(lua_State *L, int instructions) {
  lua_sethook(L, raise_always, LUA_MASKCOUNT, instructions);
}

int lr_stop(lua_State *L, lr_host *h) {
  lr_stop_after(L, 1);
  if (h->task) lr_stop_after(h->task->thread, 1);
  return lr_raise_cancelled(L, h);
}

void lr_task_stop(lr_host *h, lr_task *task) {
  h->stopping = true;
  if (task->thread) lr_stop_after(task->thread, LR_LAST_INSTRUCTIONS);
}

int32_t lr_task_was_cancelled(lr_host *h, lr_task *task) {
  if (!task->thread || lua_gettop(task->thread) == 0) return 0;
  lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->cancelled);
  int same = lua_topointer(h->L, -1) == lua_topointer(task->thread, -1);
  lua_pop(h->L, 1);
  return same;
}

/// Needs no memory, so that no error of a child is lost: the value goes into the parent's handle,
/// where nobody sees it before the parent has ended.
void lr_task_inherit(lr_host *h, lr_task *parent, lr_task *child) {
  lua_State *M = h->L, *T = child->thread;
  parent->flags |= LR_TASK_INHERITED;
  lua_rawgeti(M, LUA_REGISTRYINDEX, h->handles);
  if (lua_rawgeti(M, -1, parent->slot) != LUA_TUSERDATA) {
    lua_pop(M, 2);  // a task without a handle: nobody asks for the value
    return;
  }
  if (child->flags & LR_TASK_INHERITED) {
    lua_rawgeti(M, -2, child->slot);
    lua_getiuservalue(M, -1, 1);
    lua_remove(M, -2);
  } else if (lua_gettop(T) > 0) {
    lua_xmove(T, M, 1);
    lua_pushvalue(M, -1);
    lua_xmove(M, T, 1);  // the child's own outcome stays
  } else {
    lua_pushnil(M);
  }
  lua_setiuservalue(M, -2, 1);
  lua_pop(M, 2);
}

/// Keeps as many idle coroutines as there are live tasks, and a few more.
static bool keep_coroutine(lr_host *h, lr_task *task) {
  if (task->flags & LR_TASK_HANDED_OUT || h->native_code) return false;
  return h->free_count < 256 + h->live;
}

void lr_task_finish(lr_host *h, lr_task *task) {
  lua_State *T = task->thread;
  settle(h, task);
  if (lua_status(T) != LUA_OK) lua_resetthread(T);
  lr_task_free(h, task);
}

void lr_task_free(lr_host *h, lr_task *task) {
  task->generation += 1;
  h->live -= 1;
  h->free_tasks[h->free_count++] = task->slot;
  lua_State *T = task->thread;
  if (keep_coroutine(h, task)) {
    if (lua_gethookmask(T)) lr_meter_reset(h, T);
    lua_settop(T, 0);
  } else {
    lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->threads);
    lua_pushboolean(h->L, 0);  // false, not nil: the slot stays in the array
    lua_rawseti(h->L, -2, task->slot);
    lua_pop(h->L, 1);
    task->thread = NULL;
  }
  task->flags = 0;
}

int lr_push_task_result(lua_State *L, lr_host *h, lr_handle_box *box) {
  (void)h;
  lua_settop(L, 1);
  uint32_t state = box->slot;
  if ((state & 1) == 0) return 0;
  lua_getiuservalue(L, 1, 1);
  if (state & LR_TASK_FAILED) return lua_error(L);
  if (!(state & LR_TASK_PACKED)) return 1;
  lua_getfield(L, 2, "n");
  int n = (int)lua_tointeger(L, -1);
  luaL_checkstack(L, n, "too many results");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, 2, i);
  return n;
}

typedef struct {
  lr_task *task;
  const lr_chunk_source *chunks;
  size_t chunk_count;
  const lr_value *arguments;
  size_t count;
} load_request;

static int load(lua_State *L) {
  load_request *r = lua_touserdata(L, 1);
  lr_host *h = lr_host_of(L);
  lr_push_chunks(L, r->chunks, r->chunk_count);
  luaL_checkstack(L, (int)r->count + 4, "too many arguments");
  for (size_t i = 0; i < r->count; i++) lr_push(L, h, &r->arguments[i]);
  int n = lua_gettop(L) - 1;
  lua_remove(L, 1);
  r->task = lr_task_make(L, h);
  lua_insert(L, 1);
  if (!lua_checkstack(r->task->thread, n + 2)) return luaL_error(L, "too many arguments");
  lua_pushcfunction(r->task->thread, lr_task_base);
  lua_xmove(L, r->task->thread, n);
  lr_task_commit(h, r->task, 0);
  return 0;
}

lr_task *lr_task_load(
  lr_host *h, const lr_chunk_source *chunks, size_t chunk_count, const lr_value *arguments,
  size_t count
) {
  load_request r = {.chunks = chunks, .chunk_count = chunk_count, .arguments = arguments,
    .count = count};
  return lr_protect(h, load, &r) == LUA_OK ? r.task : NULL;
}

void lr_set_spawned(lr_host *h, int32_t (*spawned)(lr_call *, lr_task *)) {
  h->spawned = spawned;
}

static int set_up(lua_State *L, int *reference) {
  lua_newtable(L);
  *reference = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

void lr_open_tasks(lua_State *L, lr_host *h) {
  set_up(L, &h->threads);
  set_up(L, &h->handles);
  set_up(L, &h->traces);
}
