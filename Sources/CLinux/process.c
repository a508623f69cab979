#include "result.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

uint64_t linux_monotonic(void) { return (uint64_t)nanoseconds(CLOCK_MONOTONIC); }
int64_t linux_wall(void) { return nanoseconds(CLOCK_REALTIME); }
uint64_t linux_processor_time(void) { return (uint64_t)nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }

int linux_entropy(void *buffer, size_t count) {
  char *next = buffer;
  while (count > 0) {  /* more than 256 bytes may come in parts */
    ptrdiff_t filled = RETRY(getrandom(next, count, 0));
    if (filled < 0) return (int)filled;
    next += filled;
    count -= (size_t)filled;
  }
  return 0;
}

const char *linux_environment(const char *name) { return getenv(name); }

typedef struct {
  void (*body)(void *);
  void *context;
} thread_start;

static void *run_thread(void *argument) {
  thread_start start = *(thread_start *)argument;
  free(argument);
  start.body(start.context);
  return NULL;
}

int linux_start_thread(void (*body)(void *), void *context) {
  thread_start *start = malloc(sizeof *start);
  if (!start) return -ENOMEM;
  *start = (thread_start){body, context};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  /* A new thread inherits the mask: signals stay with the threads of the program. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, run_thread, start);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (error) free(start);
  return -error;
}

uint32_t linux_forks;

static void count_fork(void) { linux_forks++; }

static int watch_result;
static void watch_forks(void) { watch_result = -pthread_atfork(NULL, NULL, count_fork); }

int linux_watch_forks(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  return watch_result;
}
