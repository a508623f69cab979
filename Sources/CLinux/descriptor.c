#include "result.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif

static int32_t socket_number(int fd, int name) {
  int value = 0;
  return linux_get_option(fd, SOL_SOCKET, name, &value, sizeof value) < 0 ? 0 : value;
}

int linux_describe(int fd, linux_descriptor *descriptor) {
  struct stat status;
  int result = RETRY(fstat(fd, &status));
  if (result < 0) return result;
  *descriptor = (linux_descriptor){.mode = status.st_mode};
  if (S_ISSOCK(status.st_mode)) {
    descriptor->domain = socket_number(fd, SO_DOMAIN);
    descriptor->type = socket_number(fd, SO_TYPE);
    descriptor->protocol = socket_number(fd, SO_PROTOCOL);
    descriptor->listening = socket_number(fd, SO_ACCEPTCONN);
  } else if (S_ISFIFO(status.st_mode)) {
    int flags = fcntl(fd, F_GETFL);
    descriptor->packets = flags >= 0 && (flags & O_DIRECT) != 0;
  } else if (S_ISCHR(status.st_mode)) {
    descriptor->terminal = isatty(fd);
  }
  return 0;
}

int linux_pipe(int *read_end, int *write_end) {
  int ends[2];
  int result = RESULT(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  if (result < 0) return result;
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

int linux_duplicate(int fd) { return RESULT(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

int linux_close(int fd) {
  int result = RESULT(close(fd));
  /* The number is free already, so a second close could hit another thread's descriptor. */
  return result == -EINTR ? 0 : result;
}

ptrdiff_t linux_read(int fd, void *buffer, size_t count) {
  return RETRY(read(fd, buffer, count));
}

/* Writes with SIGPIPE blocked in this thread, and takes the one that the write has caused. */
static ptrdiff_t write_masked(int fd, const void *bytes, size_t count) {
  sigset_t pipe_signal, pending, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  ptrdiff_t written = RETRY(write(fd, bytes, count));
  if (written == -EPIPE && !sigismember(&pending, SIGPIPE)) {
    struct timespec now = {0};
    RETRY(sigtimedwait(&pipe_signal, NULL, &now));
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return written;
}

/* A library leaves the process's SIGPIPE alone. Linux 6.18 can write without raising it; older
   kernels and files without write_iter (eventfd) answer EOPNOTSUPP. */
ptrdiff_t linux_write(int fd, const void *bytes, size_t count) {
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  ptrdiff_t written = RETRY(pwritev2(fd, &part, 1, -1, RWF_NOSIGNAL));
  return written == -EOPNOTSUPP ? write_masked(fd, bytes, count) : written;
}

int linux_set_non_blocking(int fd, int on) {
  int before = RESULT(fcntl(fd, F_GETFL));
  if (before < 0) return before;
  int after = on ? before | O_NONBLOCK : before & ~O_NONBLOCK;
  if (after != before) {
    int result = RESULT(fcntl(fd, F_SETFL, after));
    if (result < 0) return result;
  }
  return (before & O_NONBLOCK) != 0;
}

/* Returns 1 when the descriptor is ready, or -EAGAIN. An error or the end counts as ready. */
static int is_ready(int fd, short events) {
  struct pollfd entry = {.fd = fd, .events = events};
  int count = RETRY(poll(&entry, 1, 0));
  if (count < 0) return count;
  if (entry.revents & POLLNVAL) return -EBADF;
  return count == 0 ? -EAGAIN : 1;
}

ptrdiff_t linux_read_guarded(int fd, void *buffer, size_t count) {
  int ready = is_ready(fd, POLLIN);
  return ready < 0 ? ready : linux_read(fd, buffer, count);
}

ptrdiff_t linux_write_guarded(int fd, const void *bytes, size_t count) {
  struct stat status;
  int result = RETRY(fstat(fd, &status));
  if (result < 0) return result;
  if (S_ISREG(status.st_mode)) return linux_write(fd, bytes, count);
  if (S_ISSOCK(status.st_mode)) return linux_send(fd, bytes, count, 0);
  result = is_ready(fd, POLLOUT);
  if (result < 0) return result;
  /* A pipe that is ready takes PIPE_BUF bytes at once; more could block. */
  return linux_write(fd, bytes, count < PIPE_BUF ? count : PIPE_BUF);
}
