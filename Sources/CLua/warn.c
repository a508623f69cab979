// Warnings: `warn` in scripts, and errors in finalizers, which nobody else could see.
#include <string.h>

#include "internal.h"

static bool is(const char *text, const char *other) { return strcmp(text, other) == 0; }

/// Collects the pieces of a warning and hands it to the host. `warn` is off until "@on", as in
/// lua(1); an error in a finalizer is always told.
static void on_warning(void *host, const char *piece, int more) {
  lr_host *h = host;
  lr_warning *w = &h->warning;
  if (!w->more && !more && piece[0] == '@') {
    if (is(piece, "@on")) w->on = true;
    if (is(piece, "@off")) w->on = false;
    return;
  }
  if (!w->more) {
    w->length = 0;
    w->told = w->on || is(piece, "error in ");
  }
  w->more = more != 0;
  size_t length = strlen(piece), room = sizeof w->text - w->length;
  if (length > room) length = room;  // a longer one is cut
  memcpy(w->text + w->length, piece, length);
  w->length += length;
  if (!more && w->told && w->tell) w->tell(w->context, w->text, w->length);
}

void lr_open_warnings(lua_State *L, lr_host *h) { lua_setwarnf(L, on_warning, h); }

void lr_set_warn(
  lr_host *h, void (*tell)(void *context, const char *text, size_t length), void *context
) {
  h->warning.tell = tell;
  h->warning.context = context;
}
