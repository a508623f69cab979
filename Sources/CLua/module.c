// Functions and modules: what Swift defines becomes closures in tables that `require` finds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef struct {
  const char *module;
  const lr_definition *definitions;
  lr_function **functions;
  size_t count;
} define_request;

static int native_module(lua_State *L) {
  lr_host *h = lr_host_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->natives);
  lua_getfield(L, -1, lua_tostring(L, 1));
  return 1;
}

/// Pushes the table of a module's native functions, made when it is new.
void lr_push_natives(lua_State *L, lr_host *h, const char *module) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, h->natives);
  if (lua_getfield(L, -1, module) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, module);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    if (lua_getfield(L, -1, module) == LUA_TNIL) {
      lua_pushboolean(L, 0);  // an upvalue: see pinned.c
      lua_pushcclosure(L, native_module, 1);
      lua_setfield(L, -3, module);
    }
    lua_pop(L, 2);
  }
  lua_remove(L, -2);
}

/// Lets a module's Lua part add methods: natives["connection_methods"] is the class's table.
static void expose_methods(lua_State *L, lr_class_record *class) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, class->metatable);
  lua_getfield(L, -1, "__index");
  lua_remove(L, -2);
  lua_pushfstring(L, "%s_methods", class->name);
  lua_insert(L, -2);
  lua_rawset(L, -3);
}

static int define(lua_State *L) {
  define_request *r = lua_touserdata(L, 1);
  lr_host *h = lr_host_of(L);
  lr_push_natives(L, h, r->module);
  for (size_t i = 0; i < r->count; i++) {
    if (r->definitions[i].class_id) expose_methods(L, h->classes[r->definitions[i].class_id - 1]);
  }
  for (size_t i = 0; i < r->count; i++) {
    const lr_definition *d = &r->definitions[i];
    if (d->class_id) {
      lua_rawgeti(L, LUA_REGISTRYINDEX, h->classes[d->class_id - 1]->metatable);
      if (strncmp(d->name, "__", 2) != 0) {
        lua_getfield(L, -1, "__index");
        lua_remove(L, -2);
      }
    } else {
      lua_pushvalue(L, -1);
    }
    lua_pushlightuserdata(L, r->functions[i]);
    lua_pushcclosure(L, lr_entry(r->functions[i]), 1);
    lua_setfield(L, -2, d->name);
    lua_pop(L, 1);
  }
  return 0;
}

static int compile_signature(lr_function *f, const char *signature) {
  for (const char *s = signature; *s; s++) {
    if (*s == '?') {
      if (f->code_count == 0) return -1;
      f->codes[f->code_count - 1] |= LR_OPTIONAL;
    } else if (*s == '*') {
      f->rest = true;
    } else if (strchr("hHinstbvfa", *s) && f->code_count < LR_MAX_CODES) {
      f->codes[f->code_count++] = (uint8_t)*s;
    } else {
      return -1;
    }
  }
  return 0;
}

/// Arguments that must be there: all up to the last one that is not optional.
static uint8_t count_required(const lr_function *f) {
  uint8_t n = f->code_count;
  while (n > 0 && (f->codes[n - 1] & LR_OPTIONAL || strchr("vb", f->codes[n - 1]))) n--;
  return n;
}

int32_t lr_define(lr_host *h, const char *module, const lr_definition *definitions, size_t count) {
  size_t total = h->function_count + count;
  lr_function **functions = realloc(h->functions, total * sizeof *functions);
  if (!functions) {
    lr_set_text(h, "not enough memory", 17);
    return -1;
  }
  h->functions = functions;
  size_t first = h->function_count;
  for (size_t i = 0; i < count; i++) {
    const lr_definition *d = &definitions[i];
    lr_function *f = calloc(1, sizeof *f);
    if (!f || d->class_id > h->class_count || compile_signature(f, d->signature) != 0) {
      free(f);
      lr_set_text(h, d->name, strlen(d->name));
      lr_append_text(h, ": unknown class or signature", 28);
      return -1;
    }
    f->required = count_required(f);
    f->host = h;
    f->leaf = d->leaf;
    f->fast = d->fast;
    f->fast_again = d->fast_again;
    f->data = d->data;
    f->class = d->class_id ? h->classes[d->class_id - 1] : NULL;
    f->waits = (d->flags & LR_WAITS) != 0;
    f->joins = (d->flags & LR_JOINS) != 0;
    f->texts = f->joins || (d->flags & LR_TEXTS) != 0;
    strncpy(f->name, d->name, sizeof f->name - 1);
    h->functions[h->function_count++] = f;
  }
  define_request r = {module, definitions, &h->functions[first], count};
  return lr_protect(h, define, &r) == LUA_OK ? 0 : -1;
}

/// Pushes the globals as they were before any script ran.
static void push_first_globals(lua_State *L, lr_host *h) {
  if (h->first_globals) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->first_globals);
    return;
  }
  lua_newtable(L);
  lua_pushglobaltable(L);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  h->first_globals = luaL_ref(L, LUA_REGISTRYINDEX);
}

/// The loader of a module that is built in: runs its source with (name, natives, misuse, check);
/// misuse(text) and check(…) raise errors at the line of the script that called. Its globals are
/// those that there were before any script ran: scripts may give `type` or `print` another value.
/// The first such module makes some of them, and sees the real ones while it does.
static int load_source(lua_State *L) {
  const lr_source *s = lua_touserdata(L, lua_upvalueindex(1));
  lr_host *h = lr_host_of(L);
  bool is_first = h->first_globals == 0;
  char name[64];
  snprintf(name, sizeof name, "=[%s]", s->module);
  if (luaL_loadbufferx(L, s->bytes, s->length, name, "t") != LUA_OK) return lua_error(L);
  if (!is_first) {
    push_first_globals(L, h);
    lua_setupvalue(L, -2, 1);
  }
  lua_pushvalue(L, -1);
  lua_pushstring(L, s->module);
  lr_push_natives(L, h, s->module);
  lua_pushcfunction(L, lr_prelude_misuse);
  lua_pushcfunction(L, lr_prelude_check);
  lua_call(L, 4, 1);
  if (is_first) {
    push_first_globals(L, h);
    lua_setupvalue(L, -3, 1);  // every function that it made sees them from now on
  }
  return 1;
}

static int preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, load_source, 1);
  lua_setfield(L, -2, ((const lr_source *)lua_touserdata(L, 1))->module);
  return 0;
}

int32_t lr_prelude(lr_host *h, const lr_source *source) {
  return lr_protect(h, preload, (void *)source) == LUA_OK ? 0 : -1;
}

static int run_module(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_getfield(L, -1, (const char *)lua_touserdata(L, 1));
  lua_call(L, 0, 0);
  return 0;
}

int32_t lr_run_module(lr_host *h, const char *module) {
  return lr_protect(h, run_module, (void *)module) == LUA_OK ? 0 : -1;
}

static int set_search_path(lua_State *L) {
  static const char key[] = "reactor.path";
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_LOADLIBNAME);
  if (lua_getfield(L, LUA_REGISTRYINDEX, key) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_getfield(L, -1, "path");
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, key);
  }
  lua_pushfstring(L, "%s;%s", (const char *)lua_touserdata(L, 1), lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
  return 0;
}

int32_t lr_set_search_path(lr_host *h, const char *templates) {
  return lr_protect(h, set_search_path, (void *)templates) == LUA_OK ? 0 : -1;
}

typedef struct {
  const lr_value *values;
  size_t count;
  int32_t script;
} arguments_request;

static int set_arguments(lua_State *L) {
  arguments_request *r = lua_touserdata(L, 1);
  lua_newtable(L);
  for (size_t i = 0; i < r->count; i++) {
    lr_push(L, lr_host_of(L), &r->values[i]);
    lua_rawseti(L, -2, (lua_Integer)i - r->script);
  }
  lua_setglobal(L, "arg");
  return 0;
}

int32_t lr_set_arguments(lr_host *h, const lr_value *values, size_t count, int32_t script) {
  arguments_request r = {values, count, script};
  return lr_protect(h, set_arguments, &r) == LUA_OK ? 0 : -1;
}

void lr_collect(lr_host *h, size_t bytes) {
  if (bytes == 0) {
    lua_gc(h->L, LUA_GCCOLLECT);
  } else {
    lua_gc(h->L, LUA_GCSTEP, (int)(bytes / 1024 + 1));
  }
}

