// Places in scripts ("file:line"), kept as small numbers that cost four bytes wherever they are.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static uint32_t hash(const char *source, int line) {
  uint32_t x = 2166136261u ^ (uint32_t)line;
  for (; *source; source++) x = (x ^ (unsigned char)*source) * 16777619u;
  return x;
}

static bool is_site(const lr_site_record *r, const char *source, int line) {
  return r->line == line && strcmp(r->source, source) == 0;
}

static uint32_t intern(lr_host *h, const char *source, int line) {
  uint32_t *chain = &h->site_chains[hash(source, line) % LR_SITE_CHAINS];
  for (uint32_t s = *chain; s; s = h->sites[s - 1].next) {
    if (is_site(&h->sites[s - 1], source, line)) return s;
  }
  if (h->site_count == h->site_capacity) {
    uint32_t capacity = h->site_capacity ? h->site_capacity * 2 : 32;
    lr_site_record *sites = realloc(h->sites, capacity * sizeof *sites);
    if (!sites) return 0;  // an unknown place is better than none of the rest
    h->sites = sites;
    h->site_capacity = capacity;
  }
  lr_site_record *r = &h->sites[h->site_count++];
  r->next = *chain;
  r->line = line;
  snprintf(r->source, sizeof r->source, "%s", source);
  return *chain = h->site_count;
}

/// The innermost place that is a script's own: not C, not a module that is built in. The C
/// function that asks is not looked at. Allocates nothing in Lua.
uint32_t lr_find_site(lua_State *L, lr_host *h) {
  lua_Debug ar;
  for (int level = 1; level < 12 && lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (!lr_is_script(&ar)) continue;
    // Most places are asked for again and again, from the same chunk.
    uint32_t *last = &h->last_sites[((uintptr_t)ar.source / 16 + (uint32_t)ar.currentline)
      % LR_LAST_SITES];
    if (!*last || !is_site(&h->sites[*last - 1], ar.short_src, ar.currentline)) {
      *last = intern(h, ar.short_src, ar.currentline);
    }
    return *last;
  }
  return 0;
}

uint32_t lr_site(lr_call *c) { return c->caller ? lr_find_site(c->caller, c->host) : 0; }

lr_text lr_site_text(lr_host *h, uint32_t site) {
  if (site == 0 || site > h->site_count) return (lr_text){"?", 1};
  lr_site_record *r = &h->sites[site - 1];
  char text[80];
  int n = snprintf(text, sizeof text, "%s:%d", r->source, (int)r->line);
  lr_set_text(h, text, (size_t)n);
  return (lr_text){h->text, h->text_length};
}
