// Plain values: from the Lua stack into a call, and from a leaf's results onto the stack.
#include <math.h>
#include <string.h>

#include "internal.h"

/// The plain form of any value; LR_OTHER when it has none. Allocates nothing.
lr_value lr_plain(lua_State *L, int index) {
  lr_value v;
  v.class_id = 0;
  v.length = 0;
  v.integer = 0;
  switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TNONE:
      v.kind = LR_NIL;
      break;
    case LUA_TBOOLEAN:
      v.kind = lua_toboolean(L, index) ? LR_TRUE : LR_FALSE;
      break;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) {
        v.kind = LR_INTEGER;
        v.integer = lua_tointeger(L, index);
      } else {
        v.kind = LR_NUMBER;
        v.number = lua_tonumber(L, index);
      }
      break;
    case LUA_TSTRING:
      v.kind = LR_BYTES;
      v.bytes = lua_tolstring(L, index, &v.length);
      break;
    case LUA_TUSERDATA: {
      lr_handle_box *box = lr_to_handle(L, index, NULL);
      v.kind = box ? LR_HANDLE : LR_OTHER;
      if (box) {
        v.class_id = box->class->id;
        v.handle.slot = box->slot;
        v.handle.generation = box->generation;
      }
      break;
    }
    default:
      v.kind = LR_OTHER;
  }
  return v;
}

/// Decodes one argument by its code. Raises for what does not fit.
static void decode_one(lua_State *L, lr_function *f, int index, char code, lr_value *v) {
  int fits = 1;
  switch (code) {
    case 'i':
      v->integer = lua_tointegerx(L, index, &fits);
      v->kind = LR_INTEGER;
      if (!fits && lua_isnumber(L, index)) {
        lr_bad_argument(L, f->name, index, "number has no integer representation");
      }
      if (!fits) lr_bad_type(L, f->name, index, index, "number");
      break;
    case 'n':
    case 't':
      v->number = lua_tonumberx(L, index, &fits);
      v->kind = LR_NUMBER;
      if (!fits) lr_bad_type(L, f->name, index, index, "number");
      if (code == 't' && isnan(v->number)) {
        lr_bad_argument(L, f->name, index, "timeout is not a number (NaN)");
      }
      break;
    case 's':
      v->bytes = lua_tolstring(L, index, &v->length);
      v->kind = LR_BYTES;
      if (!v->bytes) lr_bad_type(L, f->name, index, index, "string");
      break;
    case 'b':
      v->kind = lua_toboolean(L, index) ? LR_TRUE : LR_FALSE;
      break;
    case 'f':
      if (lua_type(L, index) != LUA_TFUNCTION && !luaL_getmetafield(L, index, "__call")) {
        lr_bad_type(L, f->name, index, index, "function");
      }
      v->kind = LR_OTHER;
      break;
    case 'a':
      if (lua_isnone(L, index)) lr_bad_argument(L, f->name, index, "value expected");
      *v = lr_plain(L, index);
      break;
    default:  // 'v', 'H'
      *v = lr_plain(L, index);
      if (code == 'H' && v->kind != LR_HANDLE) lr_bad_type(L, f->name, index, index, "handle");
      if (v->kind == LR_OTHER) {
        lr_bad_type(L, f->name, index, index, "nil, boolean, number, string or handle");
      }
  }
}

/// The handle that a method is called on. Raises when it is none, or of another class.
static inline void decode_self(lua_State *L, lr_function *f, lr_call *c) {
  lr_handle_box *box = lua_touserdata(L, 1);
  if (__builtin_expect(
        !box || lua_rawlen(L, 1) != sizeof *box || box->class != f->class, 0)) {
    lr_bad_type(L, f->name, 1, 1, f->class->name);
  }
  c->slot = box->slot;
  c->generation = box->generation;
}

/// Makes a number a string where a string is wanted. False: there is nothing to be done.
static bool become_text(lua_State *L, int index, uint8_t code) {
  if ((code & ~LR_OPTIONAL) != 's' || lua_type(L, index) != LUA_TNUMBER) return false;
  lua_tolstring(L, index, NULL);  // in its place on the stack
  return true;
}

/// Decodes the arguments that are there. Ones that are missing raise when they are required;
/// else `argument_count` says that they are not there.
void lr_decode(lua_State *L, lr_function *f, lr_call *c) {
  int top = lua_gettop(L), i = 0;
  if (__builtin_expect(top < f->required, 0)) {
    decode_one(L, f, top + 1, (char)(f->codes[top] & ~LR_OPTIONAL), c->arguments);
  }
  int n = top < f->code_count ? top : f->code_count;
  if (f->codes[0] == 'h') {
    decode_self(L, f, c);
    i = 1;
  }
  const uint8_t *codes = f->codes;
  const int first = i;
  lr_value *v = c->arguments + i;
  for (; i < n; i++, v++) {
    int isnum;
    switch (codes[i]) {
      case 's':
        if (lua_type(L, i + 1) != LUA_TSTRING) goto general;
        v->kind = LR_BYTES;
        v->bytes = lua_tolstring(L, i + 1, &v->length);
        continue;
      case 'i':
      case 'i' | LR_OPTIONAL:
        v->integer = lua_tointegerx(L, i + 1, &isnum);
        v->kind = LR_INTEGER;
        if (isnum) continue;
    }
  general:
    if (become_text(L, i + 1, codes[i])) {
      // What was decoded so far is gone when a finalizer ran, and called a leaf: begin again.
      if (codes[0] == 'h') decode_self(L, f, c);
      i = first - 1;
      v = c->arguments + i;
      continue;
    }
    if ((codes[i] & LR_OPTIONAL) && lua_type(L, i + 1) == LUA_TNIL) {
      v->kind = LR_NIL;
    } else {
      decode_one(L, f, i + 1, (char)(codes[i] & ~LR_OPTIONAL), v);
    }
  }
  if (__builtin_expect(f->rest, 0)) {
    for (; n < top; n++) {
      if (n >= LR_MAX_ARGUMENTS) lr_misuse(L, "too many arguments to '%s'", f->name);
      decode_one(L, f, n + 1, 'v', &c->arguments[n]);
    }
  }
  c->argument_count = (uint32_t)n;
}

static void push_items(lua_State *L, lr_host *h, const lr_value *v) {
  luaL_checkstack(L, 4, "result nested too deeply");
  bool map = v->kind == LR_MAP;
  const lr_value *items = v->items;
  size_t length = v->length;  // read before a finalizer can call a leaf, which answers in `v`
  lua_createtable(L, map ? 0 : (int)length, map ? (int)length : 0);
  for (size_t i = 0; i < length; i++) {
    if (map) {
      lr_push(L, h, &items[2 * i]);
      lr_push(L, h, &items[2 * i + 1]);
      lua_rawset(L, -3);
    } else {
      lr_push(L, h, &items[i]);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
  }
}

void lr_push(lua_State *L, lr_host *h, const lr_value *v) {
  switch (v->kind) {
    case LR_BYTES:
      lua_pushlstring(L, v->bytes, v->length);
      break;
    case LR_INTEGER:
      lua_pushinteger(L, (lua_Integer)v->integer);
      break;
    case LR_NUMBER:
      lua_pushnumber(L, v->number);
      break;
    case LR_FALSE:
    case LR_TRUE:
      lua_pushboolean(L, v->kind == LR_TRUE);
      break;
    case LR_HANDLE:
      lr_push_handle(L, h, v);
      break;
    case LR_LIST:
    case LR_MAP:
      push_items(L, h, v);
      break;
    case LR_NUMERAL:
      if (lua_stringtonumber(L, v->bytes) == 0) lua_pushnil(L);
      break;
    case LR_SAME:
      lua_pushvalue(L, (int)v->integer);
      break;
    default:
      lua_pushnil(L);
  }
}
