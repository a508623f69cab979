// The two phases of a call: decode and check in C, the Swift leaf, then push, yield or raise.
#include <stdio.h>
#include <string.h>

#include "internal.h"

static int again(lua_State *L, int status, lua_KContext context);
static int check(lua_State *L, lr_function *f);

int lr_raise_cancelled(lua_State *L, lr_host *h) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->cancelled);
  return lua_error(L);
}

/// Raises unless the caller may wait: in a task, with every resumer able to yield.
/// Tested on entry even when data is there, so that a mistake shows at once.
void lr_check_may_wait(lua_State *L, lr_host *h, const char *name) {
  if (__builtin_expect(h->running == L && h->chain_yields && lua_isyieldable(L), 1)) return;
  lr_refuse_wait(L, h, name);
}

static int fail_argument(lua_State *L, lr_function *f, lr_call *c) {
  char text[160];
  size_t n = c->results[0].length < sizeof text - 1 ? c->results[0].length : sizeof text - 1;
  memcpy(text, c->results[0].bytes, n);
  text[n] = 0;
  return lr_bad_argument(L, f->name, (int)c->bad_argument, text);
}

/// Takes the operations that `bytes` count as from the budget of the running task.
static inline void spend(lr_host *h, size_t bytes) {
  if (__builtin_expect(bytes < LR_OPERATION_BYTES, 1)) return;
  lr_task *task = h->task;
  size_t operations = bytes / LR_OPERATION_BYTES;
  if (task) task->budget = operations < task->budget ? task->budget - (uint16_t)operations : 0;
}

/// Pushes several results. They are copied first: a finalizer can run between two of them and
/// call a leaf, which answers in the same place.
__attribute__((noinline)) static int push_several(lua_State *L, lr_host *h, lr_call *c) {
  lr_value results[LR_MAX_RESULTS];
  uint32_t n = c->result_count, *commit = c->commit;
  memcpy(results, c->results, n * sizeof *results);
  if (n > 8) luaL_checkstack(L, (int)n, NULL);
  for (uint32_t i = 0; i < n; i++) lr_push(L, h, &results[i]);
  if (n > 0 && results->kind == LR_BYTES) spend(h, results->length);
  if (commit) *commit = 1;
  return (int)n;
}

/// Pushes what a leaf answered.
static inline int push_results(lua_State *L, lr_host *h, lr_call *c) {
  const lr_value *v = c->results;
  if (c->result_count != 1) return push_several(L, h, c);
  uint32_t *commit = c->commit;
  if (v->kind == LR_BYTES) {
    spend(h, v->length);
    lua_pushlstring(L, v->bytes, v->length);
  } else if (v->kind == LR_INTEGER) {
    lua_pushinteger(L, (lua_Integer)v->integer);
  } else {
    lr_push(L, h, v);
  }
  if (commit) *commit = 1;
  return 1;
}

/// Carries out an answer that ends in an error.
static int raise(lua_State *L, lr_function *f, lr_call *c, int32_t outcome) {
  lr_host *h = f->host;
  if (outcome == LR_CANCEL) return lr_raise_cancelled(L, h);
  if (outcome == LR_ARGUMENT) return fail_argument(L, f, c);
  if (outcome == LR_STOP) return lr_stop(L, h);
  lua_pushlstring(L, c->results[0].bytes, c->results[0].length);
  return lr_raise_text(L);
}

/// Whether every wait of the task raises now.
static inline bool is_cancelled(lr_task *task) {
  return (task->flags & (LR_TASK_CANCELLED | LR_TASK_SHIELDED)) == LR_TASK_CANCELLED;
}

/// Calls the leaf, and carries out what it answers. Then no Swift frame is alive.
static inline int run_leaf(lua_State *L, lr_function *f, lr_call *c, uint32_t reason) {
  lr_host *h = f->host;
  c->data = f->data;
  c->task = h->task;
  c->caller = L;
  c->reason = reason;
  c->result_count = 0;
  c->serial += 1;
  c->commit = NULL;
  int32_t outcome = f->leaf(c);
  if (outcome == LR_RETURN) {
    // What was waited on may be gone by now; the wait ended by the cancel all the same.
    if (UNLIKELY(reason == LR_CANCELLED)) return lr_raise_cancelled(L, h);
    return push_results(L, h, c);
  }
  if (outcome == LR_WAIT) {
    h->parking = true;
    return lua_yieldk(L, 0, (lua_KContext)f, again);
  }
  if (outcome == LR_TASK_RESULT) {
    return lr_push_task_result(L, lr_to_handle(L, 1, h->task_class));
  }
  if (outcome == LR_CHECK) return check(L, f);
  return raise(L, f, c, outcome);
}

static inline int enter(lua_State *L, lr_function *f, uint32_t reason) {
  lr_call *c = &f->host->call;
  lr_decode(L, f, c);
  return run_leaf(L, f, c, reason);
}

/// The continuation of a wait: the same leaf runs again, and learns how the wait ended.
static int again(lua_State *L, int status, lua_KContext context) {
  lr_function *f = (lr_function *)context;
  (void)status;
  return enter(L, f, f->host->task->reason);
}

/// The task's operations of this turn are used up: the others run first, then the call begins.
static int begin_late(lua_State *L, int status, lua_KContext context) {
  lr_function *f = (lr_function *)context;
  (void)status;
  if (is_cancelled(f->host->task)) return lr_raise_cancelled(L, f->host);
  f->host->call.checked = !f->waits;
  f->host->task->budget -= 1;
  return enter(L, f, LR_FIRST);
}

/// Begins a call that may wait, unless it cannot here, or its task is cancelled, or has to let
/// the others run first.
static inline int enter_waiting(lua_State *L, lr_function *f) {
  lr_host *h = f->host;
  lr_check_may_wait(L, h, f->name);
  lr_task *task = h->task;
  // A loop that swallows its cancel uses its budget up too, and cannot stop the others.
  if (__builtin_expect(task->budget == 0 && !h->stopping, 0)) {
    h->parking = true;
    h->pass = LR_SPENT;
    return lua_yieldk(L, 0, (lua_KContext)f, begin_late);
  }
  if (task->budget > 0) task->budget -= 1;
  if (__builtin_expect(is_cancelled(task), 0)) return lr_raise_cancelled(L, h);
  return enter(L, f, LR_FIRST);
}

/// A leaf has found out that its call may have to wait: makes the checks, and runs it again.
static int check(lua_State *L, lr_function *f) {
  f->host->call.checked = 1;
  return enter_waiting(L, f);
}

int32_t lr_can_wait(lr_call *c) {
  lr_host *h = c->host;
  return c->task && h->running == c->caller && h->chain_yields && lua_isyieldable(c->caller);
}

/// The general way in: everything is checked, decoded and recorded.
__attribute__((noinline)) static int call(lua_State *L, lr_function *f) {
  if (f->waits) return enter_waiting(L, f);
  return enter(L, f, LR_FIRST);
}

int lr_call_function(lua_State *L) { return call(L, lua_touserdata(L, lua_upvalueindex(1))); }

// MARK: The fast way, for the two methods that a server spends its time in

static int fast_again(lua_State *L, int status, lua_KContext context);

__attribute__((noinline)) static int push_answer(lua_State *L, lr_host *h) {
  return push_results(L, h, &h->call);
}

/// The handle that a fast leaf gets. 0: the general way is to find out what is wrong. A call that
/// goes on from here takes its operation from the budget; the general way does so by itself.
__attribute__((always_inline)) static inline uint64_t fast_handle(lua_State *L, lr_function *f) {
  lr_host *h = f->host;
  if (h->running != L || !h->chain_yields || !lua_isyieldable(L)) return 0;
  lr_task *task = h->task;
  if (UNLIKELY(task->flags & LR_TASK_CANCELLED || task->budget == 0)) return 0;
  lr_handle_box *box = lua_touserdata(L, 1);
  lr_handle_box **cached = lr_cached(h, box);
  if (!box || *cached != box) {
    if (!box || lua_rawlen(L, 1) != sizeof *box) return 0;
    if (box->class == f->class) *cached = box;
  }
  if (box->class != f->class) return 0;
  return (uint64_t)box->generation << 32 | box->slot;
}

__attribute__((always_inline)) static inline int fast_read_answer(
  lua_State *L, lr_function *f, int64_t n
) {
  lr_host *h = f->host;
  if (n > 0) {
    spend(h, (size_t)n);
    lua_pushlstring(L, h->scratch, (size_t)n);
    *h->commit = 1;
    return 1;
  }
  if (n == LR_FAST_WAIT) {
    h->parking = true;
    return lua_yieldk(L, 0, (lua_KContext)f, fast_again);
  }
  return push_answer(L, h);
}

/// After a wait that ended well the fast leaf goes on; otherwise the leaf proper says why not.
static int fast_again(lua_State *L, int status, lua_KContext context) {
  lr_function *f = (lr_function *)context;
  lr_host *h = f->host;
  (void)status;
  if (h->task->reason != LR_READY) return again(L, status, context);
  int64_t n = f->fast_again(h->call.context, h->task);
  if (n == LR_FAST_GENERAL) return again(L, status, context);
  return fast_read_answer(L, f, n);
}

// MARK: Joining a task, without a limit in time

static int joined(lua_State *L, int status, lua_KContext context) {
  lr_host *h = (lr_host *)context;
  if (h->task->reason != LR_READY) return again(L, status, (lua_KContext)h->join);
  return lr_push_task_result(L, lua_touserdata(L, 1));
}

__attribute__((noinline)) static int join_generally(lua_State *L) {
  return call(L, lr_host_of(L)->join);
}

/// What there is to learn of a task that has ended is in its handle; for another one its fast
/// leaf parks the caller.
int lr_join(lua_State *L) {
  lr_host *h = lr_host_of(L);
  uint64_t handle = fast_handle(L, h->join);
  if (UNLIKELY(!handle || lua_gettop(L) != 1)) return join_generally(L);
  lr_task *task = lr_task_at(h, (uint32_t)handle);
  if (!task || task->generation != (uint32_t)(handle >> 32)) {
    h->task->budget -= 1;
    return lr_push_task_result(L, lua_touserdata(L, 1));
  }
  if (h->join->fast(h->call.context, h->task, handle, 0, NULL) != LR_FAST_WAIT) {
    return join_generally(L);
  }
  h->parking = true;
  return lua_yieldk(L, 0, (lua_KContext)h, joined);
}

// MARK: Methods by number

// Each fast method that there may be has C functions of its own: they find their record by their
// number, which costs less than asking the library for an upvalue. `general` is what they fall
// back to; it finds the record anew, so that nothing is kept for it on the way.
#define FAST(n)                                                                                   \
  __attribute__((noinline)) static int general_##n(lua_State *L) {                                \
    return call(L, lr_host_of(L)->fast[n]);                                                       \
  }                                                                                               \
  static int fast_read_##n(lua_State *L) {                                                        \
    lr_function *f = lr_host_of(L)->fast[n];                                                      \
    lr_host *h = f->host;                                                                         \
    uint64_t handle = fast_handle(L, f);                                                          \
    if (UNLIKELY(!handle)) return general_##n(L);                                                 \
    int top = lua_gettop(L), given = 1;                                                           \
    if (UNLIKELY(top > 2)) return general_##n(L);                                                 \
    int64_t wanted = top == 2 ? lua_tointegerx(L, 2, &given) : INT64_MAX;                         \
    if (UNLIKELY(!given)) return general_##n(L);                                                  \
    int64_t count = f->fast(h->call.context, h->task, handle, wanted, NULL);                      \
    if (UNLIKELY(count == LR_FAST_GENERAL)) return general_##n(L);                                \
    h->task->budget -= 1;                                                                         \
    return fast_read_answer(L, f, count);                                                         \
  }                                                                                               \
  static int fast_write_##n(lua_State *L) {                                                       \
    lr_function *f = lr_host_of(L)->fast[n];                                                      \
    lr_host *h = f->host;                                                                         \
    uint64_t handle = fast_handle(L, f);                                                          \
    if (UNLIKELY(!handle || lua_gettop(L) != 2)) return general_##n(L);                           \
    size_t length;                                                                                \
    const char *bytes = lua_tolstring(L, 2, &length);                                             \
    if (UNLIKELY(!bytes)) return general_##n(L);                                                  \
    int64_t sent = f->fast(h->call.context, h->task, handle, (int64_t)length, bytes);             \
    if (UNLIKELY(sent == LR_FAST_GENERAL)) return general_##n(L);                                 \
    h->task->budget -= 1;                                                                         \
    if (UNLIKELY(sent < 0)) return push_answer(L, h);                                             \
    spend(h, (size_t)sent);                                                                       \
    lua_pushinteger(L, sent);                                                                     \
    return 1;                                                                                     \
  }
FAST(0)
FAST(1)
FAST(2)
FAST(3)

/// The C function for a method that was just defined. Past the last number it is the general one.
lua_CFunction lr_entry(lr_function *f) {
  static const lua_CFunction reads[] = {fast_read_0, fast_read_1, fast_read_2, fast_read_3};
  static const lua_CFunction writes[] = {fast_write_0, fast_write_1, fast_write_2, fast_write_3};
  lr_host *h = f->host;
  if (f->texts) return lr_call_texts;
  if (f->fast && f->class == h->task_class) {
    h->join = f;
    return lr_join;
  }
  if (!f->fast || h->fast_count == LR_FAST_METHODS) return lr_call_function;
  uint32_t n = h->fast_count++;
  h->fast[n] = f;
  return f->codes[1] == 's' ? writes[n] : reads[n];
}

static int yielded(lua_State *L, int status, lua_KContext context) {
  lr_host *h = (lr_host *)context;
  (void)status;
  return is_cancelled(h->task) ? lr_raise_cancelled(L, h) : 0;
}

/// task.yield(): the others that are ready run first, and the driver is polled.
int lr_yield(lua_State *L) {
  lr_host *h = lr_host_of(L);
  lr_check_may_wait(L, h, "yield");
  if (is_cancelled(h->task)) return lr_raise_cancelled(L, h);
  h->parking = true;
  h->pass = LR_YIELDED;
  return lua_yieldk(L, 0, (lua_KContext)h, yielded);
}
