// Memory at an address that is the same in every run, for a state that is pinned (pin.c).
//
// Lua hashes an object that is the key of a table by the low 32 bits of its address. The arenas
// begin at multiples of 4 GiB, so that these bits depend on nothing but the history of the
// allocations: not on address randomisation, not on how many arenas there are.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define STRIDE ((size_t)1 << 32)
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIRST ((uintptr_t)0x200000000000)  // what lies below belongs to the sanitizer
#endif
#endif
#ifndef FIRST
#define FIRST ((uintptr_t)0x10000000000)  // 1 TiB: nothing else is put there, by valgrind neither
#endif
#define SLOTS 16384
#define STEP ((size_t)256 * 1024)  // what becomes usable at once, at least

// Four classes between two powers of two: blocks are at most a quarter larger than asked for.
#define CLASSES (4 * 32)

/// The first bytes of the arena itself.
struct lr_arena {
  char *next, *usable;  // the first byte that was never given out; the end of what may be touched
  lr_free_block *free[CLASSES];
};

static size_t class_of(size_t size, size_t *room) {
  int power = 63 - __builtin_clzll(size - 1);  // 2^power < size <= 2^(power + 1)
  size_t quarter = (size_t)1 << (power - 2);
  size_t quarters = (size - 1) / quarter + 1;  // 5 to 8
  *room = quarters * quarter;
  return (size_t)power * 4 + quarters - 5;
}

size_t lr_arena_room(size_t size) {
  size_t room;
  class_of(size, &room);
  return room;
}

const char *lr_arena_open(lr_arena **arena, uint32_t slot) {
  static char why[120];
  if (slot >= SLOTS) {
    snprintf(why, sizeof why, "there are %d places for states, and no place %u", SLOTS, slot);
    return why;
  }
  char *base = (char *)(FIRST + slot * STRIDE);
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  char *mapped = mmap(base, STRIDE, PROT_NONE, flags, -1, 0);
  if (mapped != MAP_FAILED && mapped != base) {  // an old kernel takes the flag for a hint
    munmap(mapped, STRIDE);
    errno = EEXIST;
    mapped = MAP_FAILED;
  }
  if (mapped == MAP_FAILED || mprotect(base, STEP, PROT_READ | PROT_WRITE) != 0) {
    snprintf(why, sizeof why, "4 GiB at address %p cannot be reserved: %s", (void *)base,
      strerror(errno));
    if (mapped != MAP_FAILED) munmap(mapped, STRIDE);
    return why;
  }
  *arena = (lr_arena *)base;
  (*arena)->next = base + (sizeof **arena + 4095) / 4096 * 4096;
  (*arena)->usable = base + STEP;
  return NULL;
}

void lr_arena_close(lr_arena *arena) { munmap(arena, STRIDE); }

/// Lets `size` more bytes be touched. False: the arena is full, or the system has no memory.
static bool grow(lr_arena *arena, size_t size) {
  char *end = (char *)arena + STRIDE;
  size_t used = (size_t)(arena->usable - (char *)arena);
  size_t step = (size > used / 4 ? size : used / 4) / STEP * STEP + STEP;
  size_t left = (size_t)(end - arena->usable);
  if (step > left) step = left;
  if (mprotect(arena->usable, step, PROT_READ | PROT_WRITE) != 0) return false;
  arena->usable += step;
  return (size_t)(arena->usable - arena->next) >= size;
}

void *lr_arena_take(lr_arena *arena, size_t size) {
  if (size > STRIDE / 2) return NULL;
  size_t room, class = class_of(size, &room);
  lr_free_block *block = arena->free[class];
  if (block) {
    arena->free[class] = block->next;
    return block;
  }
  if ((size_t)(arena->usable - arena->next) < room && !grow(arena, room)) return NULL;
  block = (lr_free_block *)arena->next;
  arena->next += room;
  return block;
}

void lr_arena_give(lr_arena *arena, void *block, size_t size) {
  size_t room, class = class_of(size, &room);
  lr_free_block *free_block = block;
  free_block->next = arena->free[class];
  arena->free[class] = free_block;
}
