// The seed of Lua's hashes, pinned without changing the library.
//
// `lua_newstate` allocates one block, takes a seed from the clock and from addresses, stores it in
// that block, and only then allocates again. So an allocator can put another seed there in its
// second call, before anything was hashed. Where in the block it stands is found out once a
// process; what follows from it is tried out, and no state is pinned if it fails.
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define LARGEST_BLOCK 8192
// The first places of the arena are for trials, so that they disturb no state.
enum { FIRST_TRIAL = 0, SECOND_TRIAL = 1 };

/// What the allocator knows while a state is being opened.
typedef struct {
  uint32_t calls;
  char *block;  // of the first call, with the state in it
  size_t size;
  char *copy;   // gets the block as it is in the second call
  size_t seed_offset;
  uint32_t seed;
} opening;

static _Thread_local opening current;

static void *open_allocate(void *ud, void *block, size_t old_size, size_t new_size) {
  bool is_new = !block && new_size != 0;
  if (is_new && ++current.calls == 2) {
    if (current.copy) memcpy(current.copy, current.block, current.size);
    if (current.seed_offset) memcpy(current.block + current.seed_offset, &current.seed, 4);
  }
  void *result = lr_allocate(ud, block, old_size, new_size);
  if (is_new && current.calls == 1) {
    current.block = result;
    current.size = new_size;
    if (new_size > LARGEST_BLOCK) current.copy = NULL;
  }
  return result;
}

static lua_State *open_state(lr_allocator *a) {
  lua_State *L = lua_newstate(open_allocate, a);
  if (L) lua_setallocf(L, lr_allocate, a);
  return L;
}

/// Opens a state with more of the C stack below it, so that its own seed is another.
__attribute__((noinline)) static lua_State *open_deeper(lr_allocator *a, int levels) {
  volatile char room[240];
  room[levels] = 1;
  lua_State *L = levels > 0 ? open_deeper(a, levels - 1) : open_state(a);
  room[levels] = 0;
  return L;
}

// MARK: Finding the seed

/// Copies the first block of a state as it is when the seed was just stored. 0: it has no copy.
static size_t copy_block(lr_allocator *a, int levels, char *copy) {
  lr_allocator_init(a, 0, 0);
  if (lr_arena_open(&a->arena, FIRST_TRIAL)) return 0;
  current = (opening){.copy = copy};
  lua_State *L = open_deeper(a, levels);
  size_t size = L && current.copy ? current.size : 0;
  if (L) lua_close(L);
  lr_allocator_destroy(a);
  current = (opening){0};
  return size;
}

/// The offset of the only word that differs behind the allocator's two pointers, which begin what
/// all coroutines share. Before them stand addresses on the C stack. 0: there is no such word, or
/// there are several.
static size_t only_difference(const char *x, const char *y, size_t size, lr_allocator *a) {
  void *(*function)(void *, void *, size_t, size_t) = open_allocate;
  void *pair[2];
  memcpy(&pair[0], &function, sizeof function);
  pair[1] = a;
  size_t marker = 0, found = 0;
  while (marker + sizeof pair <= size && memcmp(x + marker, pair, sizeof pair) != 0) marker += 8;
  for (size_t i = marker + sizeof pair; i + 4 <= size; i += 4) {
    if (memcmp(x + i, y + i, 4) == 0) continue;
    if (found) return 0;
    found = i;
  }
  return found;
}

static size_t find_seed(void) {
  static char x[LARGEST_BLOCK], y[LARGEST_BLOCK];
  lr_allocator a;
  for (int attempt = 1; attempt <= 4; attempt++) {
    size_t size = copy_block(&a, 0, x);
    if (size == 0 || copy_block(&a, attempt * 3, y) != size) continue;
    size_t offset = only_difference(x, y, size, &a);
    if (offset) return offset;
  }
  return 0;
}

// MARK: Trying it out

#define KEYS 64
typedef struct {
  uint8_t texts[KEYS], objects[KEYS];
} key_orders;

/// Notes in which order `next` finds the values 1…KEYS of the table on top, and pops it.
static void note_order(lua_State *L, uint8_t *order) {
  int n = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (n < KEYS) order[n++] = (uint8_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void push_object(lua_State *L, int i) {
  switch (i % 3) {
    case 0: lua_newthread(L); break;
    case 1: lua_newtable(L); break;
    default:
      lua_pushnil(L);
      lua_pushcclosure(L, lr_sort, 1);
  }
}

static int note_orders(lua_State *L) {
  key_orders *orders = lua_touserdata(L, 1);
  lua_newtable(L);
  lua_newtable(L);
  for (int i = 1; i <= KEYS; i++) {
    lua_pushfstring(L, "key %d", i * i);
    lua_pushinteger(L, i);
    lua_rawset(L, 2);
    push_object(L, i);
    lua_pushinteger(L, i);
    lua_rawset(L, 3);
  }
  note_order(L, orders->objects);
  note_order(L, orders->texts);
  return 0;
}

/// The orders in a state of its own. False: there was no memory for it.
static bool try_orders(uint32_t slot, uint32_t seed, size_t offset, int levels, key_orders *o) {
  lr_allocator a;
  memset(o, 0, sizeof *o);
  lr_allocator_init(&a, 0, 0);
  if (lr_arena_open(&a.arena, slot)) return false;
  current = (opening){.seed = seed, .seed_offset = offset};
  lua_State *L = open_deeper(&a, levels);
  current = (opening){0};
  bool ok = false;
  if (L) {
    lua_pushcfunction(L, note_orders);
    lua_pushlightuserdata(L, o);
    ok = lua_pcall(L, 1, 0, 0) == LUA_OK;
    lua_close(L);
  }
  lr_allocator_destroy(&a);
  return ok;
}

static const char *try_out(size_t offset) {
  key_orders first, same, other;
  if (!try_orders(FIRST_TRIAL, 1, offset, 0, &first)
    || !try_orders(SECOND_TRIAL, 1, offset, 7, &same)
    || !try_orders(FIRST_TRIAL, 2, offset, 3, &other)) {
    return "there is no memory to try it out";
  }
  if (memcmp(first.texts, same.texts, KEYS) != 0) {
    return "two states with one seed put string keys into different orders";
  }
  if (memcmp(first.objects, same.objects, KEYS) != 0) {
    return "two states put objects as keys into different orders";
  }
  if (memcmp(first.texts, other.texts, KEYS) == 0) {
    return "two states with different seeds put string keys into the same order";
  }
  return NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char refusal[160];  // empty: states can be pinned
static size_t seed_offset;

static const char *check(size_t *offset) {
  lr_arena *arena;
  const char *why = lr_arena_open(&arena, FIRST_TRIAL);
  if (why) return why;
  lr_arena_close(arena);
  *offset = find_seed();
  return *offset ? try_out(*offset) : "where Lua keeps the seed of its hashes was not found";
}

static void check_once(void) {
  const char *why = check(&seed_offset);
  if (why) snprintf(refusal, sizeof refusal, "%s", why);
}

const char *lr_pin_refusal(uint32_t place) {
  pthread_once(&once, check_once);
  if (refusal[0]) return refusal;
  lr_arena *arena;
  const char *why = lr_arena_open(&arena, place);
  if (!why) lr_arena_close(arena);
  return why;
}

const char *lr_pin_try(size_t offset) { return try_out(offset); }

lua_State *lr_pin_state(lr_allocator *a, uint32_t seed) {
  current = (opening){.seed = seed, .seed_offset = seed_offset};
  lua_State *L = open_state(a);
  current = (opening){0};
  return L;
}
