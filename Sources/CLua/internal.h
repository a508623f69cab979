// What the files of CLua share. The only header of the project that includes Lua's.
#ifndef CLUA_INTERNAL_H
#define CLUA_INTERNAL_H

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <stdbool.h>

#include "CLua.h"

#if LUA_VERSION_NUM != 504
#error "luareact needs Lua 5.4"
#endif

/// Blocks up to this size come from size classes; larger ones from malloc.
#define LR_SMALL 768  // the stack of a coroutine that waits is 720
#define LR_STEP 8

typedef struct lr_free_block {
  struct lr_free_block *next;
} lr_free_block;

typedef struct lr_chunk {
  struct lr_chunk *next;
} lr_chunk;

/// ARENA (arena.c): memory of a pinned state, at an address that is the same in every run.
typedef struct lr_arena lr_arena;

/// ALLOCATOR (allocator.c)
typedef struct lr_allocator {
  lr_free_block *free[LR_SMALL / LR_STEP + 1];
  char *bump, *bump_end;
  lr_chunk *chunks;
  size_t bytes, hard_limit, soft_limit;
  uint64_t count, fail_from, fail_to;  // allocations seen; those in [from, to) fail
  lr_arena *arena;                     // of a pinned state: all memory is from there
} lr_allocator;

void lr_allocator_init(lr_allocator *a, size_t soft, size_t hard);
void lr_allocator_destroy(lr_allocator *a);
void *lr_allocate(void *allocator, void *block, size_t old_size, size_t new_size);
void lr_allocator_fail(lr_allocator *a, uint64_t first, int32_t mode);

const char *lr_arena_open(lr_arena **arena, uint32_t slot);  // NULL, or why there is none
void lr_arena_close(lr_arena *arena);
void *lr_arena_take(lr_arena *arena, size_t size);
void lr_arena_give(lr_arena *arena, void *block, size_t size);
size_t lr_arena_room(size_t size);  // what a block of that size takes

typedef struct lr_class_record {
  struct lr_host *host;
  uint32_t id;
  int metatable;  // reference in the registry
  char name[28];
} lr_class_record;

/// The memory of a handle. `class` is what makes a userdata ours: an address that no other
/// library writes, checked together with the size.
typedef struct lr_handle_box {
  lr_class_record *class;
  uint32_t slot;
  uint32_t generation;
} lr_handle_box;

#define LR_OPTIONAL 0x80

struct lr_function {
  lr_host *host;
  lr_leaf leaf;
  lr_fast_leaf fast;
  lr_fast_again fast_again;
  const void *data;
  lr_class_record *class;
  uint8_t codes[LR_MAX_CODES];
  uint8_t code_count, required;  // arguments in all, and up to the last that must be there
  bool rest, waits, texts, joins;
  char name[38];
};

typedef struct lr_site_record {
  uint32_t next;  // in its hash chain
  int32_t line;
  char source[60];
} lr_site_record;

/// What a task that is told to stop may still do, so that no script can refuse to end.
#define LR_LAST_INSTRUCTIONS 10000000

/// WARNINGS (warn.c)
typedef struct lr_warning {
  void (*tell)(void *context, const char *text, size_t length);
  void *context;
  bool on, more, told;  // `warn` is on; a piece follows; this one is for people
  size_t length;
  char text[512];
} lr_warning;

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define LR_TASK_CHUNK 64
#define LR_BOX_CACHE 1024
#define LR_FAST_METHODS 4
#define LR_SITE_CHAINS 256
#define LR_LAST_SITES 64

/// A coroutine that resumes another, on the C stack of the call that does.
typedef struct lr_resumer {
  lua_State *thread;
  struct lr_resumer *previous;
} lr_resumer;

struct lr_host {
  // Hot: read by every call.
  lr_thread *running;    // the innermost coroutine that we resumed
  lr_task *task;         // the task it belongs to
  lr_resumer *resumers;  // of `running`, innermost first, down to the coroutine of the task
  bool chain_yields;     // may the whole chain of resumers yield?
  bool parking;          // the yield under way is a wait
  uint8_t pass;          // … LR_YIELDED or LR_SPENT, of a task that could go on
  lr_function *fast[LR_FAST_METHODS];
  const char *scratch;   // bytes that a fast leaf answers
  uint32_t *commit;
  uint32_t fast_count;
  lr_call call;
  lr_value arguments[LR_MAX_ARGUMENTS], results[LR_MAX_RESULTS];

  lua_State *L;          // the main thread: never runs a task
  lr_allocator allocator;

  lr_task **task_chunks;
  uint32_t task_chunk_count, task_used;  // slots ever made; slot 0 is none
  uint32_t *free_tasks;                  // slots, last freed first
  uint32_t free_count, free_with_thread, live;
  int threads, handles;                  // registry tables by slot: coroutines; handles (weak)
  int known, traces, inherited;          // … handles that tasks asked for, tracebacks, errors
  int no_memory;                         // reference of the text that says so
  void (*spawned)(void *, lr_task *, lr_task *);
  lr_function *join;
  bool small_heap, script_paces;         // the collector's pace (guards.c)
  bool stopping;                         // coroutines get LR_LAST_INSTRUCTIONS more
  bool native_code;                      // a C module was loaded: coroutines are not used again
  bool abandoned;                        // closed without finalizers, like a process that is killed
  bool is_metered;                       // METER (meter.c) …
  int spent;                             // … reference of the error when all was used up
  int64_t allowance;                     // … instructions that are left

  lr_class_record **classes;
  uint32_t class_count;
  lr_class_record *task_class;
  int cancelled;                         // reference of the cancellation object
  int natives;                           // registry table: module -> native functions
  int first_globals;                     // reference of what built-in modules have as globals

  lr_function **functions;
  size_t function_count;

  lr_drop *drops;                        // ring of handles that were collected, or not made yet
  uint32_t drop_first, drop_count, drop_capacity, handle_count;
  lr_handle_box *boxes[LR_BOX_CACHE];

  lr_site_record *sites;
  uint32_t site_count, site_capacity, site_chains[LR_SITE_CHAINS];
  uint32_t last_sites[LR_LAST_SITES];

  char *text;                            // what lr_error and its like return
  size_t text_length, text_capacity;
  uint32_t close_depth;                  // of coroutine.close (guards.c)
  lr_warning warning;
};

/// The host of a state. Never NULL in code that Lua calls.
static inline lr_host *lr_host_of(lua_State *L) {
  void *ud;
  lua_getallocf(L, &ud);
  return (lr_host *)((char *)ud - offsetof(lr_host, allocator));
}

/// A word that every coroutine has. Bits: LR_THREAD_WAITS and LR_THREAD_TASK.
static inline uintptr_t *lr_thread_flags(lua_State *L) {
  return (uintptr_t *)lua_getextraspace(L);
}
#define LR_THREAD_WAITS 1u  // parked in a wait below: status "normal", nobody else resumes it
#define LR_THREAD_TASK 2u   // the coroutine of a task

// call.c
int lr_call_function(lua_State *L);
int lr_yield(lua_State *L);
int lr_join(lua_State *L);
lua_CFunction lr_entry(lr_function *f);
void lr_check_may_wait(lua_State *L, lr_host *h, const char *name);
void lr_refuse_wait(lua_State *L, lr_host *h, const char *name);  // refuse.c
int lr_raise_cancelled(lua_State *L, lr_host *h);

// misuse.c
bool lr_is_script(const lua_Debug *ar);
int lr_misuse(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));
int lr_raise_text(lua_State *L);
int lr_bad_argument(lua_State *L, const char *name, int index, const char *text);
int lr_bad_type(lua_State *L, const char *name, int index, int at, const char *wanted);
int lr_prelude_misuse(lua_State *L);
int lr_prelude_check(lua_State *L);

// values.c
void lr_decode(lua_State *L, lr_function *f, lr_call *c);
void lr_push(lua_State *L, lr_host *h, const lr_value *value);
lr_value lr_plain(lua_State *L, int index);

/// Handles that were seen a moment ago, so that a method need not ask the library what its
/// first argument is. A box leaves the cache before its memory is freed.
static inline lr_handle_box **lr_cached(lr_host *h, const void *box) {
  return &h->boxes[((uintptr_t)box >> 4) % LR_BOX_CACHE];
}

// handle.c
void lr_push_handle(lua_State *L, lr_host *h, const lr_value *value);
lr_handle_box *lr_to_handle(lua_State *L, int index, lr_class_record *class);
int lr_open_classes(lua_State *L);

// task.c
lr_task *lr_task_take(lua_State *L, lr_host *h);
void lr_task_commit(lr_host *h, lr_task *task, uint32_t flags);
int lr_stop(lua_State *L, lr_host *h);
void lr_stop_after(lua_State *L, int instructions);

// outcome.c
#define LR_HAS_RESULT 1u  // in the `slot` of an ended task's handle, beside flags of the task
void lr_open_tasks(lua_State *L, lr_host *h);
int lr_task_base(lua_State *L);
void lr_task_fill(lua_State *L, lr_task *task, int n);
void lr_task_settle(lr_host *h, lr_task *task);
int lr_push_task_result(lua_State *L, lr_handle_box *box);

// spawn.c
void lr_open_spawning(lua_State *L, lr_host *h);
int lr_serve_connection(lua_State *L);

// coroutine.c, guards.c
void lr_open_coroutines(lua_State *L);
void lr_open_guards(lua_State *L, lr_host *h);
int lr_note_native_code(lua_State *L);

// sort.c, civil.c
int lr_sort(lua_State *L);
int lr_civil_time(lua_State *L);
int lr_civil_date(lua_State *L);

// pin.c, pinned.c
lua_State *lr_pin_state(lr_allocator *a, uint32_t seed);
void lr_open_pinned(lua_State *L);

// meter.c
void lr_meter_start(lr_host *h);
void lr_meter_reset(lr_host *h, lua_State *L);

// texts.c
int lr_call_texts(lua_State *L);
int lr_make_print(lua_State *L);
int lr_bind(lua_State *L);
bool lr_is_bound(lua_State *L);

// module.c
void lr_push_natives(lua_State *L, lr_host *h, const char *module);

// chunks.c, warn.c
void lr_push_chunks(lua_State *L, const lr_chunk_source *chunks, size_t count);
void lr_open_warnings(lua_State *L, lr_host *h);

// site.c
uint32_t lr_find_site(lua_State *L, lr_host *h);

// host.c
int lr_protect(lr_host *h, lua_CFunction function, void *argument);
void lr_set_text(lr_host *h, const char *bytes, size_t length);
void lr_append_text(lr_host *h, const char *bytes, size_t length);
void lr_save_task_error(lr_host *h, lr_task *task);
void lr_save_error(lr_host *h, lua_State *L, int index);

#endif
