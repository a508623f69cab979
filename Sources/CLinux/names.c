#include "result.h"

#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(LINUX_INTERFACE_CAPACITY >= IF_NAMESIZE, "the longest interface name fits");

int linux_resolve(
    const char *host, const char *service, linux_address *addresses, int capacity, int *count,
    int *error) {
  /* SOCK_STREAM: otherwise every address comes once for each kind of socket. */
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  *count = 0;
  int result = getaddrinfo(host, service, &hints, &list);
  *error = result == EAI_SYSTEM ? errno : 0;
  if (result != 0) return result;
  for (struct addrinfo *entry = list; entry && *count < capacity; entry = entry->ai_next) {
    if (entry->ai_addrlen > LINUX_ADDRESS_CAPACITY) continue;
    linux_address *address = &addresses[(*count)++];
    *address = (linux_address){.length = entry->ai_addrlen};
    memcpy(address->bytes, entry->ai_addr, entry->ai_addrlen);
  }
  freeaddrinfo(list);
  return 0;
}

uint32_t linux_interface_index(const char *name) { return if_nametoindex(name); }

int linux_interface_name(uint32_t index, char *name) {
  return if_indextoname(index, name) ? 0 : -errno;
}
