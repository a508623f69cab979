// The body of a task that is made of several chunks: they run one after another.
#include <string.h>

#include "internal.h"

/// Runs the chunks at 1…n, the upvalue; the last gets the arguments above, and its results are
/// those of the body.
static int next_chunk(lua_State *L, int status, lua_KContext index) {
  (void)status;
  lua_Integer count = lua_tointeger(L, lua_upvalueindex(1));
  for (; index < count; index++) {
    lua_pushvalue(L, (int)index);
    lua_callk(L, 0, 0, index + 1, next_chunk);
  }
  if (index > count) return lua_gettop(L) - (int)count + 1;
  lua_callk(L, lua_gettop(L) - (int)count, LUA_MULTRET, count + 1, next_chunk);
  return lua_gettop(L) - (int)count + 1;
}

static int run_chunks(lua_State *L) {
  return lua_tointeger(L, lua_upvalueindex(1)) == 0 ? 0 : next_chunk(L, LUA_OK, 1);
}

/// Pushes the body: the chunk itself where there is one, so that its errors name no other frame;
/// else a function, followed by the chunks as its first arguments. Raises what does not parse.
void lr_push_chunks(lua_State *L, const lr_chunk_source *chunks, size_t count) {
  luaL_checkstack(L, (int)count + 4, "too many chunks");
  if (count != 1) {
    lua_pushinteger(L, (lua_Integer)count);
    lua_pushcclosure(L, run_chunks, 1);
  }
  for (size_t i = 0; i < count; i++) {
    const lr_chunk_source *c = &chunks[i];
    // By an address of Lua's own: the library keeps names by where they stand (pinned.c).
    const char *name = lua_pushlstring(L, c->name, strlen(c->name));
    if (luaL_loadbufferx(L, c->bytes, c->length, name, "t") != LUA_OK) lua_error(L);
    lua_remove(L, -2);
  }
}
