#include "result.h"

#include <limits.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(linux_epoll_event) == sizeof(struct epoll_event), "size");
_Static_assert(
    offsetof(linux_epoll_event, events) == offsetof(struct epoll_event, events), "events");
_Static_assert(
    offsetof(linux_epoll_event, token) == offsetof(struct epoll_event, data), "token");

_Static_assert(
    LINUX_EPOLL_IN == EPOLLIN && LINUX_EPOLL_PRI == EPOLLPRI && LINUX_EPOLL_OUT == EPOLLOUT &&
        LINUX_EPOLL_ERR == EPOLLERR && LINUX_EPOLL_HUP == EPOLLHUP &&
        LINUX_EPOLL_RDHUP == EPOLLRDHUP && LINUX_EPOLL_ET == EPOLLET,
    "events");

#define NANOSECONDS 1000000000
#define NANOSECONDS_PER_MILLISECOND 1000000

int linux_epoll_create(void) { return RESULT(epoll_create1(EPOLL_CLOEXEC)); }

int linux_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int linux_epoll_remove(int epoll, int fd) {
  struct epoll_event unused = {0};  /* Linux before 2.6.9 reads it */
  return RESULT(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &unused));
}

/* Waits in milliseconds, rounded up so that no wait ends before its time. */
static int wait_milliseconds(
    int epoll, struct epoll_event *events, int capacity, int64_t timeout) {
  int64_t milliseconds = timeout / NANOSECONDS_PER_MILLISECOND;
  if (timeout % NANOSECONDS_PER_MILLISECOND > 0) milliseconds += 1;
  if (milliseconds > INT_MAX) milliseconds = INT_MAX;
  return RESULT(epoll_wait(epoll, events, capacity, (int)milliseconds));
}

/* Waits in nanoseconds where the kernel can (Linux 5.11). */
static int wait_nanoseconds(
    int epoll, struct epoll_event *events, int capacity, int64_t timeout) {
#ifdef SYS_epoll_pwait2
  static atomic_bool missing;
  if (!atomic_load_explicit(&missing, memory_order_relaxed)) {
    struct timespec time = {.tv_sec = timeout / NANOSECONDS, .tv_nsec = timeout % NANOSECONDS};
    int count = RESULT(
        (int)syscall(SYS_epoll_pwait2, epoll, events, capacity, &time, NULL, (size_t)0));
    /* Sandboxes forbid with EPERM what they do not know. */
    if (count != -ENOSYS && count != -EPERM) return count;
    atomic_store_explicit(&missing, 1, memory_order_relaxed);
  }
#endif
  return wait_milliseconds(epoll, events, capacity, timeout);
}

int linux_epoll_wait(int epoll, linux_epoll_event *events, int capacity, int64_t timeout) {
  struct epoll_event *raw = (struct epoll_event *)events;
  int count = timeout > 0 ? wait_nanoseconds(epoll, raw, capacity, timeout)
                          : RESULT(epoll_wait(epoll, raw, capacity, timeout < 0 ? -1 : 0));
  /* Not made again: the handler of the signal may have left something to do. */
  return count == -EINTR ? 0 : count;
}

int linux_eventfd(void) { return RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int linux_eventfd_signal(int fd) {
  uint64_t one = 1;
  ptrdiff_t written = RETRY(write(fd, &one, sizeof one));
  return written < 0 ? (int)written : 0;
}
