// The load generator: an epoll client that keeps one message in flight on each connection and
// checks every echoed byte.
//
//   load echo PORT --messages M [--connections N] [--size S] [--warm W] [--hold] [--limit SECONDS]
//   load idle PORT [--connections N] [--size S] [--limit SECONDS]
//
// echo  sends exactly M messages over N connections (after W unmeasured ones on each), prints one
//       line of key=value figures. With --hold it prints "ready" before the measured part and
//       waits for a line on stdin, and waits for another before it closes its connections, so that
//       an observer can read the server's counters at both ends.
// idle  opens N connections, echoes one message on each, prints "ready", and keeps them open until
//       a line or the end of stdin, or SIGTERM.
//
// It connects to 127.0.0.1 only, every count is bounded, and an alarm ends it after the limit.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  max_connections = 20000, max_size = 65536, max_limit = 900,
  open_at_once = 64,  // bounds the accept queue: a full one drops a SYN, which costs a second
  buckets = 64 * 64,  // latency histogram: 64 steps a power of two, so within 1.6 %
};
static const long max_messages = 100 * 1000 * 1000;

typedef struct { int fd, received; uint64_t number, sent_at; } Connection;

static struct {
  int port, connections, size, warm, hold, limit;
  long messages;
} option = {.connections = 64, .size = 64, .limit = 300};

static int poller;
static char *message, *reply;  // scratch: one thread, one message at a time
static uint64_t histogram[buckets];

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
  exit(1);
}

static void ran_too_long(int signal) {
  (void)signal;
  static const char text[] = "load: the time limit has passed\n";
  ssize_t ignored = write(2, text, sizeof text - 1);
  (void)ignored;
  _exit(3);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double own_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

// MARK: Latency

static void record(uint64_t ns) {
  int power = ns < 64 ? 0 : 63 - __builtin_clzll(ns) - 5;  // 64 ... 127 ns are power 1
  int at = power == 0 ? (int)ns : power * 64 + (int)((ns >> (power - 1)) & 63);
  histogram[at < buckets ? at : buckets - 1]++;
}

static double percentile(double part, long count) {
  uint64_t wanted = (uint64_t)(part * (double)count), seen = 0;
  for (int at = 0; at < buckets; at++) {
    seen += histogram[at];
    if (seen > wanted) {
      int power = at / 64;
      return power == 0 ? at : (double)((64ull + (uint64_t)(at % 64)) << (power - 1));
    }
  }
  return 0;
}

// MARK: Messages

/// Fills `message` with bytes that differ by connection and by message, so that a byte of another
/// connection or of an earlier message is noticed.
static void compose(const Connection *c) {
  uint64_t seed = ((uint64_t)c->fd << 40) + c->number;
  for (int at = 0; at < option.size; at += 8) {
    uint64_t word = (seed + (uint64_t)at) * 0x9E3779B97F4A7C15ull;
    int left = option.size - at;
    memcpy(message + at, &word, left < 8 ? (size_t)left : 8);
  }
}

static void send_next(Connection *c) {
  c->number++;
  c->received = 0;
  compose(c);
  c->sent_at = now();
  // One message in flight fits in any socket buffer, so a short send is an error, not a state.
  ssize_t sent = send(c->fd, message, (size_t)option.size, MSG_NOSIGNAL);
  if (sent != option.size) fail("send: %s", sent < 0 ? strerror(errno) : "short");
}

/// Receives what is there; returns 1 when the echo is whole and right.
static int receive(Connection *c) {
  ssize_t got = recv(c->fd, reply, (size_t)(option.size - c->received), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (got < 0) fail("recv: %s", strerror(errno));
  if (got == 0) fail("the server closed connection %d early", c->fd);
  compose(c);
  if (memcmp(reply, message + c->received, (size_t)got) != 0)
    fail("connection %d: wrong bytes in the echo of message %llu", c->fd,
         (unsigned long long)c->number);
  c->received += (int)got;
  return c->received == option.size;
}

/// Echoes `total` messages over `count` connections, whichever is free next.
static void exchange(Connection *all, int count, long total, int measured) {
  long sent = 0, done = 0;
  for (int i = 0; i < count && sent < total; i++, sent++) send_next(&all[i]);
  struct epoll_event events[256];
  while (done < total) {
    int ready = epoll_wait(poller, events, 256, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < ready; i++) {
      Connection *c = events[i].data.ptr;
      if (!receive(c)) continue;
      if (measured) record(now() - c->sent_at);
      done++;
      if (sent < total) { sent++; send_next(c); }
    }
  }
}

// MARK: Connections

static void open_one(Connection *c) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)option.port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0) fail("socket: %s", strerror(errno));
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect: %s", strerror(errno));
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

/// Opens all connections in small batches; `first` messages are echoed on each of a batch before
/// the next is opened.
static Connection *open_all(int first) {
  Connection *all = calloc((size_t)option.connections, sizeof *all);
  if (!all) fail("no memory");
  for (int at = 0; at < option.connections; at += open_at_once) {
    int count = option.connections - at < open_at_once ? option.connections - at : open_at_once;
    for (int i = 0; i < count; i++) open_one(&all[at + i]);
    for (int round = 0; round < first; round++) exchange(all + at, count, count, 0);
  }
  return all;
}

static void close_all(Connection *all) {
  for (int i = 0; i < option.connections; i++) close(all[i].fd);
  free(all);
}

/// Prints `line` and waits for a line, the end of stdin, or a signal.
static void pause_after(const char *line) {
  puts(line);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) == 1 && byte != '\n') {}
}

// MARK: Modes

static void run_echo(void) {
  Connection *all = open_all(option.warm);
  if (option.hold) pause_after("ready");
  double cpu = own_cpu();
  uint64_t start = now();
  exchange(all, option.connections, option.messages, 1);
  double seconds = (double)(now() - start) / 1e9;
  cpu = own_cpu() - cpu;
  char line[256];
  snprintf(line, sizeof line,
           "messages=%ld seconds=%.6f per_second=%.1f cpu_seconds=%.6f p50_us=%.1f p99_us=%.1f",
           option.messages, seconds, (double)option.messages / seconds, cpu,
           percentile(0.50, option.messages) / 1e3, percentile(0.99, option.messages) / 1e3);
  if (option.hold) pause_after(line); else puts(line);
  close_all(all);
}

static void run_idle(void) {
  Connection *all = open_all(1);
  pause_after("ready");
  close_all(all);
}

// MARK: Arguments

static long number(const char *name, const char *text, long low, long high) {
  char *end = NULL;
  errno = 0;
  long value = text ? strtol(text, &end, 10) : 0;
  if (!text || !*text || *end || errno || value < low || value > high)
    fail("%s takes a number from %ld to %ld", name, low, high);
  return value;
}

static void parse(int count, char **word) {
  option.port = (int)number("PORT", word[2], 1, 65535);
  for (int i = 3; i < count; i++) {
    const char *name = word[i], *value = i + 1 < count ? word[i + 1] : NULL;
    if (!strcmp(name, "--hold")) { option.hold = 1; continue; }
    i++;
    if (!strcmp(name, "--messages")) option.messages = number(name, value, 1, max_messages);
    else if (!strcmp(name, "--connections"))
      option.connections = (int)number(name, value, 1, max_connections);
    else if (!strcmp(name, "--size")) option.size = (int)number(name, value, 1, max_size);
    else if (!strcmp(name, "--warm")) option.warm = (int)number(name, value, 0, 1000);
    else if (!strcmp(name, "--limit")) option.limit = (int)number(name, value, 1, max_limit);
    else fail("unknown option %s", name);
  }
}

int main(int count, char **word) {
  if (count < 3) fail("usage: load echo|idle PORT [options]");
  parse(count, word);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGALRM, ran_too_long);
  alarm((unsigned)option.limit);
  poller = epoll_create1(EPOLL_CLOEXEC);
  message = malloc((size_t)option.size);
  reply = malloc((size_t)option.size);
  if (poller < 0 || !message || !reply) fail("no memory");
  if (!strcmp(word[1], "echo") && option.messages > 0) run_echo();
  else if (!strcmp(word[1], "idle")) run_idle();
  else fail("usage: load echo PORT --messages M ..., or load idle PORT ...");
  return 0;
}
