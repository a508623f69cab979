// The coroutine library, so that a wait inside a generator reaches the scheduler.
//
// A wait yields its own coroutine with `parking` set. The resumer, which is ours, sees the flag
// and yields as well, and so on down to the task. When the wait ends, the scheduler resumes the
// task, and each level resumes the next one until the leaf runs again.
#include "internal.h"

enum { RESUME = 0, WRAP = 1 };

static int run(lua_State *L, lua_State *co, int arguments, int how);

static lua_State *to_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  return co;
}

static int ended(lua_State *L, int status, lua_KContext how) {
  (void)status;
  lua_State *co = lua_tothread(L, how == WRAP ? lua_upvalueindex(1) : 1);
  *lr_thread_flags(co) &= ~(uintptr_t)LR_THREAD_WAITS;
  return run(L, co, 0, (int)how);
}

static int refuse(lua_State *L, int how, const char *why) {
  if (how == WRAP) return luaL_error(L, "%s", why);
  lua_pushboolean(L, 0);
  lua_pushstring(L, why);
  return 2;
}

/// An error inside a wrapped coroutine: closes it and goes on, with the position as stock Lua.
static int rethrow(lua_State *L, lua_State *co, int status) {
  if (status != LUA_OK && status != LUA_YIELD) {
    int closed = lua_resetthread(co);
    if (closed != LUA_OK) lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int run(lua_State *L, lua_State *co, int arguments, int how) {
  lr_host *h = lr_host_of(L);
  lr_thread *running = h->running;
  bool chain = h->chain_yields;
  bool ours = running == L;
  int results = 0;
  lr_resumer resumer = {L, h->resumers};
  h->resumers = &resumer;
  h->chain_yields = ours && chain && lua_isyieldable(L);
  h->running = ours ? co : running;
  if (__builtin_expect(h->stopping, 0)) lr_stop_after(co, LR_LAST_INSTRUCTIONS);
  int status = lua_resume(co, L, arguments, &results);
  h->resumers = resumer.previous;
  h->running = running;
  h->chain_yields = chain;
  if (status == LUA_YIELD && __builtin_expect(h->parking, 0)) {
    *lr_thread_flags(co) |= LR_THREAD_WAITS;
    return lua_yieldk(L, 0, (lua_KContext)how, ended);
  }
  if (status == LUA_OK || status == LUA_YIELD) {
    if (!lua_checkstack(L, results + 1)) {
      lua_pop(co, results);
      return refuse(L, how, "too many results to resume");
    }
    if (how == RESUME) lua_pushboolean(L, 1);
    lua_xmove(co, L, results);
    return how == RESUME ? results + 1 : results;
  }
  if (h->stopping) lr_stop_after(L, 1);
  if (how == RESUME) lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return how == RESUME ? 2 : rethrow(L, co, status);
}

static int start(lua_State *L, lua_State *co, int arguments, int how) {
  if (lua_status(co) == LUA_OK && lua_gettop(co) == 0) {
    return refuse(L, how, "cannot resume dead coroutine");
  }
  if (*lr_thread_flags(co) & (LR_THREAD_WAITS | LR_THREAD_TASK)) {
    return refuse(L, how, "cannot resume non-suspended coroutine");
  }
  if (!lua_checkstack(co, arguments)) {
    return refuse(L, how, "too many arguments to resume");
  }
  lua_xmove(L, co, arguments);
  return run(L, co, arguments, how);
}

static int co_resume(lua_State *L) {
  lua_State *co = to_coroutine(L);
  return start(L, co, lua_gettop(L) - 1, RESUME);
}

static int wrapped(lua_State *L) {
  return start(L, lua_tothread(L, lua_upvalueindex(1)), lua_gettop(L), WRAP);
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static const char *status_of(lua_State *L, lua_State *co) {
  if (L == co) return "running";
  if (*lr_thread_flags(co) & LR_THREAD_WAITS) return "normal";
  switch (lua_status(co)) {
    case LUA_YIELD:
      // A task that waits is not its script's to resume.
      return *lr_thread_flags(co) & LR_THREAD_TASK ? "normal" : "suspended";
    case LUA_OK: {
      lua_Debug ar;
      if (lua_getstack(co, 0, &ar)) return "normal";
      return lua_gettop(co) == 0 ? "dead" : "suspended";
    }
    default:
      return "dead";
  }
}

static int co_status(lua_State *L) {
  lua_pushstring(L, status_of(L, to_coroutine(L)));
  return 1;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : to_coroutine(L);
  lua_pushboolean(L, lua_isyieldable(co));
  return 1;
}

static int co_running(lua_State *L) {
  lr_host *h = lr_host_of(L);
  if (h->task && h->task->thread == L) h->task->flags |= LR_TASK_HANDED_OUT;
  lua_pushboolean(L, lua_pushthread(L));
  return 2;
}

/// Nested closes crash stock 5.4.4 when the C stack runs out: this stops them before.
#define MAX_CLOSE_DEPTH 190

static int close_protected(lua_State *L) {
  lua_State *co = lua_touserdata(L, 1);
  int status = lua_resetthread(co);
  lua_pushboolean(L, status == LUA_OK);
  if (status != LUA_OK) lua_xmove(co, L, 1);
  return lua_gettop(L) - 1;
}

static int co_close(lua_State *L) {
  lr_host *h = lr_host_of(L);
  lua_State *co = to_coroutine(L);
  const char *status = status_of(L, co);
  if (status[0] != 's' && status[0] != 'd') {
    return luaL_error(L, "cannot close a %s coroutine", status);
  }
  if (h->close_depth >= MAX_CLOSE_DEPTH) return luaL_error(L, "C stack overflow");
  h->close_depth += 1;
  lr_thread *running = h->running;
  h->running = NULL;  // `__close` handlers that coroutine.close runs cannot wait
  lua_pushcfunction(L, close_protected);
  lua_pushlightuserdata(L, co);
  int failed = lua_pcall(L, 1, LUA_MULTRET, 0);
  h->running = running;
  h->close_depth -= 1;
  return failed ? lua_error(L) : lua_gettop(L) - 1;
}

static const luaL_Reg functions[] = {
  {"create", co_create}, {"resume", co_resume}, {"wrap", co_wrap}, {"status", co_status},
  {"isyieldable", co_isyieldable}, {"running", co_running}, {"close", co_close}, {NULL, NULL},
};

/// Puts our functions into the table of the stock library; `yield` stays the stock one.
void lr_open_coroutines(lua_State *L) {
  lua_getglobal(L, LUA_COLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
