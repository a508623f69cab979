// The yardstick: an echo server with nothing between it and the kernel. Edge-triggered epoll, one
// thread, one shared buffer, and the rule that a read shorter than the buffer has drained the
// stream, so that a message costs a recv, a send and a share of an epoll_wait.
//
// A reply that does not fit into the socket buffer closes the connection: the load generator keeps
// one message in flight, and a queue would be work that no message here needs.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[4096];

static int check(int result, const char *what) {
  if (result < 0) { perror(what); exit(1); }
  return result;
}

static void accept_all(int poller, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    check(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }
}

/// Echoes what is there. After a short read the stream is drained, unless the peer has closed: then
/// the end of file is still to be read, and no further edge would announce it.
static void echo(int fd, uint32_t events) {
  int closing = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  ssize_t got;
  do {
    got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0 || send(fd, buffer, (size_t)got, MSG_NOSIGNAL) != got) { close(fd); return; }
  } while (closing || got == (ssize_t)sizeof buffer);
}

int main(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  int listener = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  check(bind(listener, (struct sockaddr *)&address, length), "bind");
  check(listen(listener, 1024), "listen");
  check(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
  printf("127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);

  int poller = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = listener};
  check(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == listener) accept_all(poller, listener);
      else echo(events[i].data.fd, events[i].events);
    }
  }
}
