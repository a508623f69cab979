#include "result.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

_Static_assert(sizeof(struct sockaddr_un) < LINUX_ADDRESS_CAPACITY, "the longest address fits");

static const struct sockaddr *name_of(const linux_address *address) {
  return (const struct sockaddr *)address->bytes;
}

int linux_socket(int family, int kind, int protocol) {
  return RESULT(socket(family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

int linux_socket_pair(int family, int kind, int protocol, int *first, int *second) {
  int pair[2];
  int result = RESULT(socketpair(family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol, pair));
  if (result < 0) return result;
  *first = pair[0];
  *second = pair[1];
  return 0;
}

int linux_bind(int fd, const linux_address *address) {
  return RESULT(bind(fd, name_of(address), address->length));
}

int linux_listen(int fd, int backlog) { return RESULT(listen(fd, backlog)); }

/* The kernel reports the length that an address has, even where less of it fits. */
static void fit(linux_address *address) {
  if (address->length > LINUX_ADDRESS_CAPACITY) address->length = LINUX_ADDRESS_CAPACITY;
}

typedef int naming_call(int, struct sockaddr *, socklen_t *);

static int take_name(naming_call *call, int fd, linux_address *address) {
  linux_address name = {.length = LINUX_ADDRESS_CAPACITY};
  int result = RETRY(call(fd, (struct sockaddr *)name.bytes, &name.length));
  if (result < 0) return result;
  fit(&name);
  *address = name;
  return result;
}

static int accept_call(int fd, struct sockaddr *name, socklen_t *length) {
  return accept4(fd, name, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int local_call(int fd, struct sockaddr *name, socklen_t *length) {
  return getsockname(fd, name, length);
}

static int peer_call(int fd, struct sockaddr *name, socklen_t *length) {
  return getpeername(fd, name, length);
}

int linux_accept(int fd, linux_address *peer) { return take_name(accept_call, fd, peer); }
int linux_local_address(int fd, linux_address *name) { return take_name(local_call, fd, name); }
int linux_peer_address(int fd, linux_address *name) { return take_name(peer_call, fd, name); }

int linux_connect(int fd, const linux_address *address) {
  int result = RESULT(connect(fd, name_of(address), address->length));
  /* An interrupted connect goes on by itself; called again it would fail with EALREADY. */
  return result == -EINTR ? -EINPROGRESS : result;
}

/* MSG_DONTWAIT: a socket that came from elsewhere may still be a blocking one. */

ptrdiff_t linux_recv(int fd, void *buffer, size_t count, int flags) {
  return RETRY(recv(fd, buffer, count, flags | MSG_DONTWAIT));
}

ptrdiff_t linux_send(int fd, const void *bytes, size_t count, int flags) {
  return RETRY(send(fd, bytes, count, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

#define DESCRIPTOR_BYTES (LINUX_MESSAGE_DESCRIPTORS * sizeof(int))

/* Room for the descriptors and for what else socket options may add, such as a time stamp. */
typedef union {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(DESCRIPTOR_BYTES) + 256];
} control_buffer;

static void take_descriptors(struct msghdr *header, linux_message *message) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      if (message->count < LINUX_MESSAGE_DESCRIPTORS) {
        message->descriptors[message->count++] = fd;
      } else {  /* the spare room holds more of them than a message does */
        linux_close(fd);
        message->flags |= MSG_CTRUNC;
      }
    }
  }
}

ptrdiff_t linux_recvmsg(int fd, void *buffer, size_t count, int flags, linux_message *message) {
  control_buffer control;
  struct iovec part = {.iov_base = buffer, .iov_len = count};
  struct msghdr header = {
      .msg_name = message->address.bytes, .msg_namelen = LINUX_ADDRESS_CAPACITY,
      .msg_iov = &part, .msg_iovlen = 1,
      .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ptrdiff_t received =
      RETRY(recvmsg(fd, &header, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
  message->count = 0;
  message->address.length = 0;
  message->flags = 0;
  if (received < 0) return received;
  message->address.length = header.msg_namelen;
  fit(&message->address);
  message->flags = header.msg_flags & ~MSG_CMSG_CLOEXEC;
  take_descriptors(&header, message);
  return received;
}

ptrdiff_t linux_sendmsg(
    int fd, const void *bytes, size_t count, int flags, const linux_message *message) {
  control_buffer control;
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  if (message->address.length > 0) {
    header.msg_name = (void *)message->address.bytes;
    header.msg_namelen = message->address.length;
  }
  if (message->count < 0 || message->count > LINUX_MESSAGE_DESCRIPTORS) return -EINVAL;
  if (message->count > 0) {
    size_t length = (size_t)message->count * sizeof(int);
    memset(&control, 0, sizeof control);
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(length);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(rights), message->descriptors, length);
  }
  return RETRY(sendmsg(fd, &header, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

int linux_shutdown(int fd, int how) { return RESULT(shutdown(fd, how)); }

int linux_get_option(int fd, int level, int name, void *value, uint32_t capacity) {
  socklen_t length = capacity;
  int result = RESULT(getsockopt(fd, level, name, value, &length));
  return result < 0 ? result : (int)length;
}

int linux_set_option(int fd, int level, int name, const void *value, uint32_t length) {
  return RESULT(setsockopt(fd, level, name, value, length));
}

ptrdiff_t linux_receive_message(void *kernel, int fd, void *room, ptrdiff_t count) {
  (void)kernel;
  ptrdiff_t result = recv(fd, room, (size_t)count, MSG_DONTWAIT);
  if (__builtin_expect(result >= 0, 1)) return result;
  return errno == EINTR ? linux_recv(fd, room, (size_t)count, 0) : -errno;
}

ptrdiff_t linux_send_message(void *kernel, int fd, const void *bytes, ptrdiff_t count) {
  (void)kernel;
  ptrdiff_t result = send(fd, bytes, (size_t)count, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (__builtin_expect(result >= 0, 1)) return result;
  return errno == EINTR ? linux_send(fd, bytes, (size_t)count, 0) : -errno;
}
