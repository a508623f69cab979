// Handles: userdata that hold a slot and a generation, never a Swift reference.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

lr_value lr_handle(uint32_t class_id, uint32_t slot, uint32_t generation) {
  lr_value v = {.kind = LR_HANDLE, .class_id = class_id};
  v.handle.slot = slot;
  v.handle.generation = generation;
  return v;
}

/// The box at `index`, or NULL when the value is not a handle (of `class`, unless that is NULL).
lr_handle_box *lr_to_handle(lua_State *L, int index, lr_class_record *class) {
  lr_handle_box *box = lua_touserdata(L, index);
  if (!box || lua_rawlen(L, index) != sizeof *box) return NULL;
  if (class) return box->class == class ? box : NULL;
  lr_host *h = lr_host_of(L);
  for (uint32_t i = 0; i < h->class_count; i++) {
    if (box->class == h->classes[i]) return box;
  }
  return NULL;
}

/// Makes room for one more drop, so that a finalizer never has to allocate.
static void reserve_drop(lua_State *L, lr_host *h) {
  h->handle_count += 1;
  if (h->handle_count < h->drop_capacity) return;
  uint32_t capacity = h->drop_capacity ? h->drop_capacity * 2 : 64;
  lr_drop *drops = malloc(capacity * sizeof *drops);
  if (!drops) luaL_error(L, "not enough memory");
  for (uint32_t i = 0; i < h->drop_count; i++) {
    drops[i] = h->drops[(h->drop_first + i) % h->drop_capacity];
  }
  free(h->drops);
  h->drops = drops;
  h->drop_first = 0;
  h->drop_capacity = capacity;
}

static void note_drop(lr_host *h, lr_drop drop) {
  if (h->drop_count == h->drop_capacity) return;
  h->drops[(h->drop_first + h->drop_count) % h->drop_capacity] = drop;
  h->drop_count += 1;
}

static void forget_drop(lr_host *h, lr_drop drop) {
  for (uint32_t i = h->drop_count; i-- > 0;) {
    lr_drop *d = &h->drops[(h->drop_first + i) % h->drop_capacity];
    if (d->class_id != drop.class_id || d->slot != drop.slot) continue;
    if (d->generation != drop.generation) continue;
    h->drop_count -= 1;
    *d = h->drops[(h->drop_first + h->drop_count) % h->drop_capacity];
    return;
  }
}

/// Pushes a new handle. What it names is in the ring of drops until the userdata exists, so that
/// it is closed, not leaked, when there is no memory for the userdata.
void lr_push_handle(lua_State *L, lr_host *h, const lr_value *v) {
  lr_class_record *class = h->classes[v->class_id - 1];
  lr_drop name = {v->class_id, v->handle.slot, v->handle.generation};
  note_drop(h, name);
  reserve_drop(L, h);
  lr_handle_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->class = class;
  box->slot = name.slot;
  box->generation = name.generation;
  forget_drop(h, name);
  lua_rawgeti(L, LUA_REGISTRYINDEX, class->metatable);
  lua_setmetatable(L, -2);
}

/// `__gc` of every class: notes the slot for the host, which frees it in its next turn.
static int collect(lua_State *L) {
  lr_handle_box *box = lr_to_handle(L, 1, NULL);
  if (!box) return 0;
  lr_host *h = box->class->host;
  note_drop(h, (lr_drop){box->class->id, box->slot, box->generation});
  if (*lr_cached(h, box) == box) *lr_cached(h, box) = NULL;
  box->class = NULL;  // a second finalizer, or a resurrected handle, finds no handle here
  return 0;
}

int32_t lr_in_finalizer(const lr_host *h) {
  // Inside of a finalizer the library refuses every request to the collector.
  return lua_gc(h->L, LUA_GCCOUNT) < 0;
}

int32_t lr_take_drop(lr_host *h, lr_drop *drop) {
  // A finalizer can run while a handle is being made, whose drop is not to be taken yet.
  if (h->drop_count == 0 || lr_in_finalizer(h)) return 0;
  *drop = h->drops[h->drop_first];
  h->drop_first = (h->drop_first + 1) % h->drop_capacity;
  h->drop_count -= 1;
  h->handle_count -= 1;
  return 1;
}

typedef struct {
  lr_class_record *class;
  lr_function *describe;
} make_class;

static int make(lua_State *L) {
  make_class *m = lua_touserdata(L, 1);
  // Roomy tables, so that looking up a method meets no collision.
  lua_createtable(L, 0, 32);
  lua_pushstring(L, m->class->name);
  lua_setfield(L, -2, "__name");
  lua_createtable(L, 0, 64);
  lua_setfield(L, -2, "__index");
  if (m->class->id != 1) {  // a task's end needs no finalizer: class 1 is the task's
    lua_pushboolean(L, 0);  // an upvalue: see pinned.c
    lua_pushcclosure(L, collect, 1);
    lua_setfield(L, -2, "__gc");
  }
  lua_pushliteral(L, "a handle's metatable is protected");
  lua_setfield(L, -2, "__metatable");
  lua_pushlightuserdata(L, m->describe);
  lua_pushcclosure(L, lr_call_function, 1);
  lua_setfield(L, -2, "__tostring");
  m->class->metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  if (m->class->id == 1) lr_open_spawning(L, m->class->host);
  return 0;
}

int32_t lr_class(lr_host *h, const char *name, lr_leaf describe, const void *data) {
  lr_class_record *class = calloc(1, sizeof *class);
  lr_function *f = calloc(1, sizeof *f);
  lr_class_record **classes = realloc(h->classes, (h->class_count + 1) * sizeof *classes);
  lr_function **functions = realloc(h->functions, (h->function_count + 1) * sizeof *functions);
  if (classes) h->classes = classes;
  if (functions) h->functions = functions;
  if (!class || !f || !classes || !functions) {
    free(class);
    free(f);
    lr_set_text(h, "not enough memory", 17);
    return -1;
  }
  class->host = f->host = h;
  class->id = h->class_count + 1;
  strncpy(class->name, name, sizeof class->name - 1);
  *f = (lr_function){.host = h, .leaf = describe, .data = data, .class = class,
    .codes = {'h'}, .code_count = 1, .name = "tostring"};
  if (class->id == 1) h->task_class = class;
  h->classes[h->class_count++] = class;
  h->functions[h->function_count++] = f;
  make_class m = {class, f};
  return lr_protect(h, make, &m) == LUA_OK ? (int32_t)class->id : -1;
}
