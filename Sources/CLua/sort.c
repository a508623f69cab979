// table.sort as a merge sort. The stock one takes pivots from the clock when a partition is badly
// balanced, so that the calls of the comparator differ between two runs on the same values.
//
// It sorts copies and writes the result back: an error of the comparator leaves the table as it
// was. Equal elements keep their order, and no input needs more than n log2 n comparisons.
#include <limits.h>

#include "internal.h"

// The stack: the table, the comparator or nil, and two buffers.
enum { TABLE = 1, COMPARATOR = 2, FIRST_BUFFER = 3, SECOND_BUFFER = 4 };

/// Whether the value on top is less than the one below it. Leaves both.
static bool top_is_less(lua_State *L) {
  if (lua_isnil(L, COMPARATOR)) return lua_compare(L, -1, -2, LUA_OPLT);
  lua_pushvalue(L, COMPARATOR);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -4);
  lua_call(L, 2, 1);
  bool less = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return less;
}

/// Merges from[low ..< middle] and from[middle ..< high], both sorted, into the same places of
/// `to`. The heads of both are on the stack.
static void merge(lua_State *L, int from, int to, int low, int middle, int high) {
  int left = low, right = middle, next = low;
  lua_rawgeti(L, from, left);
  lua_rawgeti(L, from, right);
  for (;;) {
    if (top_is_less(L)) {
      lua_rawseti(L, to, next++);
      if (++right == high) break;
    } else {
      lua_insert(L, -2);
      lua_rawseti(L, to, next++);
      if (++left == middle) break;
      lua_rawgeti(L, from, left);
      lua_insert(L, -2);
      continue;
    }
    lua_rawgeti(L, from, right);
  }
  lua_rawseti(L, to, next++);  // the head of the side that is left over, and what follows it
  int rest = left < middle ? left + 1 : right + 1;
  while (next < high) {
    lua_rawgeti(L, from, rest++);
    lua_rawseti(L, to, next++);
  }
}

/// Sorts the elements low ..< high, which are in both buffers, into `to`.
static void sort_range(lua_State *L, int from, int to, int low, int high) {
  if (high - low < 2) return;
  int middle = low + (high - low) / 2;
  sort_range(L, to, from, low, middle);
  sort_range(L, to, from, middle, high);
  merge(L, from, to, low, middle, high);
}

int lr_sort(lua_State *L) {
  int given = lua_gettop(L);
  if (lua_type(L, TABLE) != LUA_TTABLE) {
    bool works = luaL_getmetafield(L, TABLE, "__index") && luaL_getmetafield(L, TABLE, "__newindex")
      && luaL_getmetafield(L, TABLE, "__len");
    if (!works) luaL_checktype(L, TABLE, LUA_TTABLE);
    lua_settop(L, given);
  }
  lua_settop(L, COMPARATOR);
  lua_Integer length = luaL_len(L, TABLE);
  if (length < 2) return 0;
  luaL_argcheck(L, length < INT_MAX, TABLE, "array too big");
  if (!lua_isnil(L, COMPARATOR)) luaL_checktype(L, COMPARATOR, LUA_TFUNCTION);
  int count = (int)length;
  lua_createtable(L, count, 0);
  lua_createtable(L, count, 0);
  for (int i = 1; i <= count; i++) {
    lua_geti(L, TABLE, i);
    lua_pushvalue(L, -1);
    lua_rawseti(L, FIRST_BUFFER, i);
    lua_rawseti(L, SECOND_BUFFER, i);
  }
  sort_range(L, FIRST_BUFFER, SECOND_BUFFER, 1, count + 1);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, SECOND_BUFFER, i);
    lua_seti(L, TABLE, i);
  }
  return 0;
}
