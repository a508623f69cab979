#include "result.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd_open_of(pid_t pid) { return RESULT((int)syscall(SYS_pidfd_open, pid, 0)); }

/* The attributes of a process that is free of what this one did to its signals. */
static void reset_signals(posix_spawnattr_t *attributes) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(attributes, &none);
  posix_spawnattr_setsigdefault(attributes, &all);
  posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static void close_all(const int *fds, int count) {
  for (int i = 0; i < count; i++) close(fds[i]);
}

/* Copies the descriptors to numbers that no stream will have, for as long as the call lasts, and
   makes them blocking, which is what programs expect of their standard streams. */
static int copy_streams(const int *streams, int count, int *copies) {
  for (int i = 0; i < count; i++) {
    copies[i] = RESULT(fcntl(streams[i], F_DUPFD_CLOEXEC, count));
    int flags = copies[i] < 0 ? copies[i] : RESULT(fcntl(copies[i], F_GETFL));
    if (flags >= 0 && (flags & O_NONBLOCK)) {
      flags = RESULT(fcntl(copies[i], F_SETFL, flags & ~O_NONBLOCK));
    }
    if (flags < 0) {
      close_all(copies, copies[i] < 0 ? i : i + 1);
      return flags;
    }
  }
  return 0;
}

static int start(char **words, const int *copies, int stream_count, pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return -error;
  error = posix_spawnattr_init(&attributes);
  if (!error) reset_signals(&attributes);
  for (int i = 0; i < stream_count && !error; i++) {
    error = posix_spawn_file_actions_adddup2(&actions, copies[i], i);
  }
  if (!error) error = posix_spawnp(pid, words[0], &actions, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return -error;
}

int linux_spawn(const char *words, int word_count, const int *streams, int stream_count) {
  if (word_count < 1 || stream_count < 0 || stream_count > LINUX_SPAWN_STREAMS) return -EINVAL;
  int copies[LINUX_SPAWN_STREAMS];
  char **list = calloc((size_t)word_count + 1, sizeof *list);
  if (!list) return -ENOMEM;
  for (int i = 0; i < word_count; i++) {
    list[i] = (char *)words;  /* posix_spawn changes none of them */
    while (*words) words++;
    words++;
  }
  pid_t pid = -1;
  int result = copy_streams(streams, stream_count, copies);
  if (result == 0) {
    result = start(list, copies, stream_count, &pid);
    close_all(copies, stream_count);
  }
  free(list);
  if (result < 0) return result;
  int process = pidfd_open_of(pid);
  if (process < 0) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
  }
  return process;
}

int linux_signal_process(int process, int number) {
  return RESULT((int)syscall(SYS_pidfd_send_signal, process, number, NULL, 0));
}

int linux_reap(int process, int *code, int *killed_by) {
  siginfo_t info = {0};
  int result = RETRY(waitid((idtype_t)P_PIDFD, (id_t)process, &info, WEXITED | WNOHANG));
  if (result < 0) return result;
  if (info.si_pid == 0) return -EAGAIN;
  *code = info.si_code == CLD_EXITED ? info.si_status : 0;
  *killed_by = info.si_code == CLD_EXITED ? 0 : info.si_status;
  return 0;
}
