// A host: one Lua state with its libraries, opened, closed and given functions under protection.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static uint64_t opening_fail_first;
static int32_t opening_fail_mode;

void lr_fail_opening(uint64_t first, int32_t mode) {
  opening_fail_first = first;
  opening_fail_mode = mode;
}

void lr_fail_allocation(lr_host *h, uint64_t first, int32_t mode) {
  lr_allocator_fail(&h->allocator, first, mode);
}

uint64_t lr_allocation_count(const lr_host *h) { return h->allocator.count; }
size_t lr_bytes(const lr_host *h) { return h->allocator.bytes; }

// MARK: Texts

void lr_append_text(lr_host *h, const char *bytes, size_t length) {
  if (h->text_length + length + 1 > h->text_capacity) {
    size_t capacity = (h->text_length + length + 1) * 2;
    char *text = realloc(h->text, capacity);
    if (!text) return;
    h->text = text;
    h->text_capacity = capacity;
  }
  memcpy(h->text + h->text_length, bytes, length);
  h->text_length += length;
  h->text[h->text_length] = 0;
}

void lr_set_text(lr_host *h, const char *bytes, size_t length) {
  h->text_length = 0;
  lr_append_text(h, bytes, length);
}

lr_text lr_error(lr_host *h) {
  return h->text ? (lr_text){h->text, h->text_length} : (lr_text){"not enough memory", 17};
}

// MARK: Protected calls

/// Runs `function` on the main thread under a protected call. On an error its text is kept.
int lr_protect(lr_host *h, lua_CFunction function, void *argument) {
  lua_State *L = h->L;
  lr_task *task = h->task;
  lr_thread *running = h->running;
  h->task = NULL;  // nothing here may wait
  h->running = NULL;
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, argument);
  int status = lua_pcall(L, 1, 0, 0);
  h->task = task;
  h->running = running;
  if (status != LUA_OK) {
    lr_save_error(h, L, -1);
    lua_pop(L, 1);
  }
  return status;
}

/// The text of an error object that is no string, as stock `lua` shows it.
static int describe_error(lua_State *L) {
  if (lua_type(L, 1) == LUA_TNUMBER || luaL_getmetafield(L, 1, "__tostring")) {
    luaL_tolstring(L, 1, NULL);
  } else {
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  return 1;
}

/// Keeps the text of the error object at `index`. Raises nothing, whatever the object does.
void lr_save_error(lr_host *h, lua_State *L, int index) {
  const char *type = luaL_typename(L, index);
  int status = LUA_ERRMEM;
  if (lua_checkstack(L, 4)) {
    lua_pushvalue(L, index);
    if (lua_type(L, -1) == LUA_TSTRING) {
      status = LUA_OK;
    } else {
      lua_pushcfunction(L, describe_error);
      lua_insert(L, -2);
      status = lua_pcall(L, 1, 1, 0);
    }
    size_t length;
    const char *bytes = status == LUA_OK ? lua_tolstring(L, -1, &length) : NULL;
    if (bytes) lr_set_text(h, bytes, length);
    lua_pop(L, 1);
    if (bytes) return;
  }
  char text[120];
  int n = snprintf(text, sizeof text, "(error object is a %s value%s)", type,
    status == LUA_ERRMEM ? ", and there is not enough memory to describe it" : "");
  lr_set_text(h, text, (size_t)n);
}

static int save_task_error(lua_State *L) {
  lr_task *task = lua_touserdata(L, 1);
  lr_host *h = lr_host_of(L);
  lua_pushvalue(task->thread, -1);
  lua_xmove(task->thread, L, 1);
  lr_save_error(h, L, 2);
  if (h->spent) return 0;  // the error says where
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->traces);
  if (lua_rawgeti(L, -1, task->slot) == LUA_TSTRING) {
    size_t length;
    const char *trace = lua_tolstring(L, -1, &length);
    lr_append_text(h, "\n", 1);
    lr_append_text(h, trace, length);
  }
  return 0;
}

/// Forgets a traceback, so that the next task in the slot never shows it. Needs no memory.
static void forget_trace(lr_host *h, uint32_t slot) {
  lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->traces);
  if (lua_rawgeti(h->L, -1, slot) == LUA_TSTRING) {
    lua_pushboolean(h->L, 0);
    lua_rawseti(h->L, -3, slot);
  }
  lua_pop(h->L, 2);
}

/// Keeps the error of a task that has just failed (its error object is on top of its stack).
void lr_save_task_error(lr_host *h, lr_task *task) {
  if (lua_checkstack(task->thread, 2)) {
    lr_protect(h, save_task_error, task);
  } else {
    lr_set_text(h, "not enough memory", 17);
  }
  forget_trace(h, task->slot);
}

lr_text lr_task_error(lr_host *h, lr_task *task) {
  (void)task;
  return lr_error(h);
}

typedef struct {
  lr_task *task;
} task_request;

static int trace_task(lua_State *L) {
  task_request *r = lua_touserdata(L, 1);
  luaL_traceback(L, r->task->thread, NULL, 0);
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  lr_set_text(lr_host_of(L), bytes, length);
  return 0;
}

lr_text lr_task_traceback(lr_host *h, lr_task *task) {
  task_request r = {task};
  if (task->thread) lr_protect(h, trace_task, &r);
  return lr_error(h);
}

lr_value lr_task_value(lr_host *h, lr_task *task) {
  (void)h;
  lr_value value = {.kind = LR_NIL};
  lua_State *T = task->thread;
  if (!T || lua_gettop(T) == 0 || !lua_checkstack(T, 1)) return value;
  if (!(task->flags & LR_TASK_PACKED)) return lr_plain(T, -1);
  lua_rawgeti(T, -1, 1);
  value = lr_plain(T, -1);
  lua_pop(T, 1);  // the packed table still holds it
  return value;
}

// MARK: Opening and closing

static int on_panic(lua_State *L) {
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no message";
  fprintf(stderr, "luareact: panic: an error outside of any protected call: %s\n", text);
  return 0;  // the library aborts
}

static int describe_cancelled(lua_State *L) {
  lua_pushliteral(L, "cancelled");
  return 1;
}

// The functions that are C alone, by module.
static const luaL_Reg base_functions[] = {
  {"make_print", lr_make_print}, {"bind", lr_bind}, {"note_native_code", lr_note_native_code},
  {NULL, NULL},
};
static const luaL_Reg net_functions[] = {
  {"serve_connection", lr_serve_connection}, {NULL, NULL},
};

/// Makes the object that a cancel raises, and puts it into the module on top of the stack.
static void make_cancelled(lua_State *L, lr_host *h) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushcfunction(L, describe_cancelled);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "cancelled");
  lua_setfield(L, -2, "__name");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "Cancelled");
  h->cancelled = luaL_ref(L, LUA_REGISTRYINDEX);
}

static int open(lua_State *L) {
  lr_host *h = lr_host_of(L);
  const lr_options *options = lua_touserdata(L, 1);
  if (options->no_environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  lr_open_warnings(L, h);
  luaL_openlibs(L);
  lr_open_guards(L, h);
  lr_open_coroutines(L);
  lr_open_tasks(L, h);
  lua_newtable(L);
  h->natives = luaL_ref(L, LUA_REGISTRYINDEX);
  lr_push_natives(L, h, "reactor.base");
  luaL_setfuncs(L, base_functions, 0);
  lr_push_natives(L, h, "reactor.net");
  luaL_setfuncs(L, net_functions, 0);
  lr_push_natives(L, h, "reactor.task");
  lua_pushcfunction(L, lr_yield);
  lua_setfield(L, -2, "yield");
  make_cancelled(L, h);
  if (options->pinned) lr_open_pinned(L);
  return 0;
}

lr_host *lr_host_open(const lr_options *options) {
  lr_host *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  lr_allocator_init(&h->allocator, options->soft_limit, options->hard_limit);
  if (opening_fail_first) lr_allocator_fail(&h->allocator, opening_fail_first, opening_fail_mode);
  h->call.host = h;
  h->call.arguments = h->arguments;
  h->call.results = h->results;
  if (options->pinned && lr_arena_open(&h->allocator.arena, options->place)) {
    free(h);
    return NULL;
  }
  h->L = options->pinned ? lr_pin_state(&h->allocator, options->hash_seed)
                         : lua_newstate(lr_allocate, &h->allocator);
  if (!h->L) {
    lr_allocator_destroy(&h->allocator);
    free(h);
    return NULL;
  }
  lua_atpanic(h->L, on_panic);
  *lr_thread_flags(h->L) = 0;
  if (lr_protect(h, open, (void *)options) != LUA_OK) {
    lr_host_close(h);
    return NULL;
  }
  if (options->pinned) lr_meter_start(h);
  return h;
}

void lr_set_context(lr_host *h, void *context, const char *scratch, uint32_t *commit) {
  h->call.context = context;
  h->scratch = scratch;
  h->commit = commit;
}

lr_call *lr_call_record(lr_host *h) { return &h->call; }

const char *lr_version(void) { return LUA_RELEASE; }

void lr_host_abandon(lr_host *h) { h->abandoned = true; }

void lr_host_close(lr_host *h) {
  h->allocator.fail_from = UINT64_MAX;
  if (!h->abandoned) lua_close(h->L);
  lr_allocator_destroy(&h->allocator);
  for (size_t i = 0; i < h->function_count; i++) free(h->functions[i]);
  for (uint32_t i = 0; i < h->class_count; i++) free(h->classes[i]);
  for (uint32_t i = 0; i < h->task_chunk_count; i++) free(h->task_chunks[i]);
  free(h->functions);
  free(h->classes);
  free(h->task_chunks);
  free(h->free_tasks);
  free(h->drops);
  free(h->sites);
  free(h->text);
  free(h);
}
