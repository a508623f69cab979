// The allocator of a Lua state: size classes without headers, limits, and failures on demand.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define CHUNK (64 * 1024)

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LR_PLAIN_MALLOC 1  // pools would hide errors from the sanitizer
#endif
#endif

void lr_allocator_init(lr_allocator *a, size_t soft, size_t hard) {
  memset(a, 0, sizeof *a);
  a->soft_limit = soft;
  a->hard_limit = hard ? hard : SIZE_MAX;
  a->fail_from = UINT64_MAX;
}

void lr_allocator_destroy(lr_allocator *a) {
  if (a->arena) return lr_arena_close(a->arena);
  while (a->chunks) {
    lr_chunk *next = a->chunks->next;
    free(a->chunks);
    a->chunks = next;
  }
}

void lr_allocator_fail(lr_allocator *a, uint64_t first, int32_t mode) {
  a->count = 0;
  a->fail_from = first ? first : UINT64_MAX;
  a->fail_to = mode == 2 ? UINT64_MAX : first + (mode == 1 ? 2 : 1);
}

static inline size_t class_of(size_t size) { return (size + LR_STEP - 1) / LR_STEP; }

/// Whether blocks of a size come from the size classes.
static inline bool is_small(const lr_allocator *a, size_t size) {
#ifdef LR_PLAIN_MALLOC
  return a->arena && size <= LR_SMALL;
#else
  (void)a;
  return size <= LR_SMALL;
#endif
}

/// Gets memory to cut blocks from. False: there is none.
static bool add_chunk(lr_allocator *a) {
  lr_chunk *chunk = a->arena ? lr_arena_take(a->arena, CHUNK) : malloc(CHUNK);
  if (!chunk) {
    a->bump = a->bump_end = NULL;
    return false;
  }
  chunk->next = a->chunks;
  a->chunks = chunk;
  a->bump = (char *)chunk + sizeof *chunk;
  a->bump_end = (char *)chunk + CHUNK;
  return true;
}

__attribute__((noinline)) static void *refill(lr_allocator *a, size_t class) {
  size_t size = class * LR_STEP;
  if ((size_t)(a->bump_end - a->bump) < size) {
    // What is left of the old chunk goes to the class that it fits.
    size_t left = class_of((size_t)(a->bump_end - a->bump) + 1) - 1;
    if (left > 0) {
      lr_free_block *block = (lr_free_block *)a->bump;
      block->next = a->free[left];
      a->free[left] = block;
    }
    if (!add_chunk(a)) return NULL;
  }
  void *block = a->bump;
  a->bump += size;
  return block;
}

static inline void *take(lr_allocator *a, size_t size) {
  if (is_small(a, size)) {
    size_t class = class_of(size);
    lr_free_block *block = a->free[class];
    if (block) {
      a->free[class] = block->next;
      return block;
    }
    return refill(a, class);
  }
  return a->arena ? lr_arena_take(a->arena, size) : malloc(size);
}

static inline void give(lr_allocator *a, void *block, size_t size) {
  if (is_small(a, size)) {
    lr_free_block *free_block = block;
    free_block->next = a->free[class_of(size)];
    a->free[class_of(size)] = free_block;
    return;
  }
  if (a->arena) lr_arena_give(a->arena, block, size); else free(block);
}

/// Whether a block has the room for another size as well.
static inline bool fits(const lr_allocator *a, size_t old_size, size_t new_size) {
  bool small = is_small(a, old_size);
  if (small != is_small(a, new_size)) return false;
  if (small) return class_of(old_size) == class_of(new_size);
  return a->arena && lr_arena_room(old_size) == lr_arena_room(new_size);
}

/// Whether an allocation that grows is refused: by a test, or by the limit.
static inline bool refused(lr_allocator *a, size_t growth) {
  if (__builtin_expect(++a->count >= a->fail_from, 0) && a->count < a->fail_to) return true;
  return a->bytes + growth > a->hard_limit;
}

/// Changes the size of a block. A shrink never fails: Lua's contract asks for that.
__attribute__((noinline)) static void *resize(
  lr_allocator *a, void *block, size_t old_size, size_t new_size
) {
  if (new_size > old_size && refused(a, new_size - old_size)) return NULL;
  void *moved = block;
  if (!a->arena && !is_small(a, old_size) && !is_small(a, new_size)) {
    moved = realloc(block, new_size);
  } else if (!fits(a, old_size, new_size)) {
    moved = take(a, new_size);
    if (moved) {
      memcpy(moved, block, old_size < new_size ? old_size : new_size);
      give(a, block, old_size);
    }
  }
  if (!moved) {
    if (new_size > old_size) return NULL;
    moved = block;  // a shrink keeps its block; what it is too large by is lost until the end
  }
  a->bytes += new_size - old_size;
  return moved;
}

/// The `lua_Alloc` of a host.
void *lr_allocate(void *ud, void *block, size_t old_size, size_t new_size) {
  lr_allocator *a = ud;
  if (!block) {
    if (new_size == 0 || refused(a, new_size)) return NULL;
    block = take(a, new_size);
    if (block) a->bytes += new_size;
    return block;
  }
  if (new_size != 0) return resize(a, block, old_size, new_size);
  a->bytes -= old_size;
  give(a, block, old_size);
  return NULL;
}
