// The two phases of a call: decode and check in C, the Swift leaf, then push, yield or raise.
#include <stdio.h>
#include <string.h>

#include "internal.h"

static int again(lua_State *L, int status, lua_KContext context);

int lr_raise_cancelled(lua_State *L, lr_host *h) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->cancelled);
  return lua_error(L);
}

/// The innermost C function below level 0, through which a wait cannot pass.
static const char *find_culprit(lua_State *L, lua_Debug *ar) {
  for (int level = 1; lua_getstack(L, level, ar) && lua_getinfo(L, "nS", ar); level++) {
    if (ar->name && strcmp(ar->name, "__gc") == 0) return "a finalizer (__gc)";
    if (ar->what[0] == 'C' && ar->name) return ar->name;
  }
  return NULL;
}

/// Raises unless the caller may wait: in a task, with every resumer able to yield.
/// Tested on entry even when data is there, so that a mistake shows at once.
void lr_check_may_wait(lua_State *L, lr_host *h, const char *name) {
  if (__builtin_expect(h->running == L && h->chain_yields && lua_isyieldable(L), 1)) return;
  lua_Debug ar;
  if (!h->task) luaL_error(L, "'%s' waits, and may be called in a task only", name);
  if (h->running != L) {
    luaL_error(L, "'%s' cannot wait in a coroutine that is being closed, or that a C module "
      "resumed", name);
  }
  const char *culprit = find_culprit(L, &ar);
  luaL_error(L, "'%s' cannot wait here: %s cannot be suspended", name,
    culprit ? culprit : "a C function on the stack");
}

static int fail_argument(lua_State *L, lr_call *c) {
  char text[160];
  size_t n = c->results[0].length < sizeof text - 1 ? c->results[0].length : sizeof text - 1;
  memcpy(text, c->results[0].bytes, n);
  text[n] = 0;
  return luaL_argerror(L, (int)c->bad_argument, text);
}

/// What the leaf answered, carried out. No Swift frame is alive here.
static int finish(lua_State *L, lr_function *f, lr_call *c, int32_t outcome) {
  lr_host *h = f->host;
  switch (outcome) {
    case LR_RETURN: {
      uint32_t n = c->result_count;
      if (__builtin_expect(n > 2, 0)) luaL_checkstack(L, (int)n, NULL);
      for (uint32_t i = 0; i < n; i++) lr_push(L, h, &c->results[i]);
      if (c->commit) *c->commit = 1;
      return (int)n;
    }
    case LR_WAIT:
      h->parking = true;
      return lua_yieldk(L, 0, (lua_KContext)f, again);
    case LR_ARGUMENT:
      return fail_argument(L, c);
    case LR_CANCEL:
      return lr_raise_cancelled(L, h);
    case LR_TASK_RESULT:
      return lr_push_task_result(L, h, lr_to_handle(L, 1, h->task_class));
    default:
      luaL_where(L, 1);
      lua_pushlstring(L, c->results[0].bytes, c->results[0].length);
      lua_concat(L, 2);
      return lua_error(L);
  }
}

/// Whether every wait of the task raises now.
static inline bool is_cancelled(lr_task *task) {
  return (task->flags & (LR_TASK_CANCELLED | LR_TASK_SHIELDED)) == LR_TASK_CANCELLED;
}

static inline int enter(lua_State *L, lr_function *f, uint32_t reason) {
  lr_host *h = f->host;
  lr_call *c = &h->call;
  lr_decode(L, f, c);
  c->data = f->data;
  c->task = h->task;
  c->caller = L;
  c->reason = reason;
  c->result_count = 0;
  c->serial += 1;
  c->commit = NULL;
  return finish(L, f, c, f->leaf(c));
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
  return enter(L, f, LR_FIRST);
}

int lr_call_function(lua_State *L) {
  lr_function *f = lua_touserdata(L, lua_upvalueindex(1));
  if (f->waits) {
    lr_host *h = f->host;
    lr_check_may_wait(L, h, f->name);
    lr_task *task = h->task;
    if (__builtin_expect(is_cancelled(task), 0)) return lr_raise_cancelled(L, h);
    if (__builtin_expect(task->budget-- == 0, 0)) {
      h->parking = h->requeue = true;
      return lua_yieldk(L, 0, (lua_KContext)f, begin_late);
    }
  }
  return enter(L, f, LR_FIRST);
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
  h->parking = h->requeue = true;
  return lua_yieldk(L, 0, (lua_KContext)h, yielded);
}
