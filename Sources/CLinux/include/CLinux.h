/*
 * The Linux calls of the reactor, without their types.
 *
 * Rules: a result below zero is -errno; EINTR is never one of them; every descriptor that is
 * made here is close-on-exec and non-blocking; no call blocks, except linux_epoll_wait,
 * linux_resolve and those on files, which take as long as the disk does.
 */
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/* Readiness: epoll.c */

/* The kernel's struct epoll_event, with the token as a plain number. */
typedef struct {
  uint32_t events;
  uint64_t token;
}
#if defined(__x86_64__)
__attribute__((packed))
#endif
linux_epoll_event;

#define LINUX_EPOLL_IN 0x0001u
#define LINUX_EPOLL_PRI 0x0002u
#define LINUX_EPOLL_OUT 0x0004u
#define LINUX_EPOLL_ERR 0x0008u
#define LINUX_EPOLL_HUP 0x0010u
#define LINUX_EPOLL_RDHUP 0x2000u
#define LINUX_EPOLL_ET 0x80000000u

int linux_epoll_create(void);
int linux_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int linux_epoll_remove(int epoll, int fd);

/* Waits up to `timeout` nanoseconds; below zero: without a limit. Returns the number of events,
   0 also when a signal came. */
int linux_epoll_wait(int epoll, linux_epoll_event *events, int capacity, int64_t timeout);

int linux_eventfd(void);
int linux_eventfd_signal(int fd);

/* Sockets: socket.c */

/* A socket address as the kernel has it; sockaddr_un, the longest, is 110 bytes. */
#define LINUX_ADDRESS_CAPACITY 112
typedef struct {
  uint32_t length;
  uint8_t bytes[LINUX_ADDRESS_CAPACITY];
} linux_address;

#define LINUX_MESSAGE_DESCRIPTORS 16
typedef struct {
  linux_address address;
  int32_t flags;
  int32_t count;
  int32_t descriptors[LINUX_MESSAGE_DESCRIPTORS];
} linux_message;

int linux_socket(int family, int kind, int protocol);
int linux_socket_pair(int family, int kind, int protocol, int *first, int *second);
int linux_bind(int fd, const linux_address *address);
int linux_listen(int fd, int backlog);
int linux_accept(int fd, linux_address *peer);
int linux_connect(int fd, const linux_address *address);
/// recv and send without flags, in the form that the path of every message calls: the first
/// argument is not used.
ptrdiff_t linux_receive_message(
  void *_Nonnull kernel, int fd, void *_Nonnull room, ptrdiff_t count);
ptrdiff_t linux_send_message(
  void *_Nonnull kernel, int fd, const void *_Nonnull bytes, ptrdiff_t count);
ptrdiff_t linux_recv(int fd, void *_Nullable buffer, size_t count, int flags);
ptrdiff_t linux_send(int fd, const void *_Nullable bytes, size_t count, int flags);
ptrdiff_t linux_recvmsg(
    int fd, void *_Nullable buffer, size_t count, int flags, linux_message *message);
ptrdiff_t linux_sendmsg(
    int fd, const void *_Nullable bytes, size_t count, int flags, const linux_message *message);
int linux_shutdown(int fd, int how);
int linux_get_option(int fd, int level, int name, void *_Nullable value, uint32_t capacity);
int linux_set_option(
    int fd, int level, int name, const void *_Nullable value, uint32_t length);
int linux_local_address(int fd, linux_address *address);
int linux_peer_address(int fd, linux_address *address);

/* Any descriptor: descriptor.c */

/* What fstat and the socket options tell of a descriptor. */
typedef struct {
  uint32_t mode;     /* st_mode */
  int32_t domain;    /* of a socket: SO_DOMAIN, SO_TYPE, SO_PROTOCOL, SO_ACCEPTCONN */
  int32_t type;
  int32_t protocol;
  int32_t listening;
  int32_t terminal;  /* of a character device */
  int32_t packets;   /* of a pipe: O_DIRECT */
} linux_descriptor;

int linux_describe(int fd, linux_descriptor *descriptor);
int linux_pipe(int *read_end, int *write_end);
int linux_duplicate(int fd);
int linux_close(int fd);
ptrdiff_t linux_read(int fd, void *_Nullable buffer, size_t count);
/* Raises no SIGPIPE. */
ptrdiff_t linux_write(int fd, const void *_Nullable bytes, size_t count);

/* Changes O_NONBLOCK. Returns 1 when it was set before, 0 when it was not. */
int linux_set_non_blocking(int fd, int on);

/* Read and write a descriptor that may be blocking, without blocking. */
ptrdiff_t linux_read_guarded(int fd, void *_Nullable buffer, size_t count);
ptrdiff_t linux_write_guarded(int fd, const void *_Nullable bytes, size_t count);

/* Files: file.c */

typedef struct {
  uint64_t device;
  uint64_t inode;
  uint64_t links;
  uint32_t mode;
  uint32_t user;
  uint32_t group;
  int64_t size;      /* bytes */
  int64_t accessed;  /* nanoseconds since 1970-01-01 UTC */
  int64_t modified;
  int64_t changed;
} linux_status;

int linux_open(const char *path, int flags, uint32_t mode);
int64_t linux_seek(int fd, int64_t offset, int whence);
ptrdiff_t linux_read_at(int fd, void *_Nullable buffer, size_t count, int64_t offset);
ptrdiff_t linux_write_at(int fd, const void *_Nullable bytes, size_t count, int64_t offset);
int linux_sync(int fd);
int linux_truncate(int fd, int64_t length);
int linux_stat(const char *path, linux_status *status);
int linux_rename(const char *from, const char *to);
int linux_unlink(const char *path);
int linux_make_directory(const char *path, uint32_t mode);
int linux_remove_directory(const char *path);

/* Lists a directory: open, next until 0, close. "." and ".." are left out. */
typedef struct linux_directory linux_directory;
#define LINUX_NAME_CAPACITY 256
int linux_directory_open(const char *path, linux_directory *_Nullable *_Nonnull directory);
int linux_directory_next(linux_directory *directory, char *name);
void linux_directory_close(linux_directory *directory);

/* Names: names.c */

/* Looks up a host; blocks. Returns 0 and `count` addresses, or an EAI number (below zero), with
   the errno of EAI_SYSTEM in `error`. */
int linux_resolve(
    const char *host, const char *_Nullable service, linux_address *addresses, int capacity,
    int *count, int *error);

/* Returns the index of a network interface, or 0 when there is none of that name. */
uint32_t linux_interface_index(const char *name);
#define LINUX_INTERFACE_CAPACITY 16
int linux_interface_name(uint32_t index, char *name);

/* The process: process.c */

uint64_t linux_monotonic(void);
int64_t linux_wall(void);
uint64_t linux_processor_time(void);
int linux_entropy(void *_Nullable buffer, size_t count);
const char *_Nullable linux_environment(const char *name);

/* Starts a detached thread that takes no signals. Returns 0 or -errno. */
int linux_start_thread(void (*body)(void *_Nullable), void *_Nullable context);

/* Begins to count how often fork(3) was called on the way from the first process to this one.
   Returns 0 or -errno. */
int linux_watch_forks(void);
extern uint32_t linux_forks;
static inline uint32_t linux_fork_count(void) { return linux_forks; }

/* Processes: spawn.c */

#define LINUX_SPAWN_STREAMS 16
/* Starts the program words[0], which is looked up in PATH when it has no slash. `words` holds
   word_count texts, each ended by a NUL. The process gets streams[i], made blocking, as its
   descriptor i, this process's environment, and default signals; nothing else of this process's
   that is close-on-exec. Returns a pidfd, which becomes readable when the process has ended. */
int linux_spawn(const char *words, int word_count, const int *streams, int stream_count);
int linux_signal_process(int process, int number);

/* Takes the status of a process that has ended: its exit code, or the signal that killed it.
   Returns 0, -EAGAIN while it runs, or -ECHILD when that was done before. */
int linux_reap(int process, int *code, int *killed_by);

#pragma clang assume_nonnull end

#endif
