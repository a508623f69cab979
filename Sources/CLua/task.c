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
    arguments = lua_gettop(T) - 1;  // of the base function: its handler, the body, and its own
  }
  int status = lua_resume(T, NULL, arguments, &n);
  h->running = NULL;
  h->task = NULL;
  if (status == LUA_YIELD) {
    if (__builtin_expect(h->parking, 1)) {
      h->parking = false;
      int32_t pass = h->pass;
      h->pass = LR_PARKED;
      return pass;
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

/// Keeps as many idle coroutines as there are live tasks, and a few more.
static bool keep_coroutine(lr_host *h, lr_task *task) {
  if (task->flags & LR_TASK_HANDED_OUT || h->native_code) return false;
  return h->free_count < 256 + h->live;
}

/// Readies the coroutine of a task that has ended for the next one, or gives it up.
static void release_coroutine(lr_host *h, lr_task *task) {
  lua_State *T = task->thread;
  if (lua_status(T) != LUA_OK) lua_resetthread(T);
  if (keep_coroutine(h, task)) {
    if (lua_gethookmask(T)) lr_meter_reset(h, T);
    return lua_settop(T, 0);
  }
  lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->threads);
  lua_pushboolean(h->L, 0);  // false, not nil: the slot stays in the array
  lua_rawseti(h->L, -2, task->slot);
  lua_pop(h->L, 1);
  task->thread = NULL;
}

void lr_task_finish(lr_host *h, lr_task *task) {
  lr_task_settle(h, task);
  if (++task->generation == 0) task->generation = 1;  // 0 is what an ended handle has
  h->live -= 1;
  h->free_tasks[h->free_count++] = task->slot;
  release_coroutine(h, task);
  task->flags = 0;
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
  r->task = lr_task_take(L, h);
  if (!lua_checkstack(r->task->thread, n + 3)) return luaL_error(L, "too many arguments");
  lr_task_fill(L, r->task, n);
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

void lr_set_spawned(lr_host *h, void (*spawned)(void *, lr_task *, lr_task *)) {
  h->spawned = spawned;
}
