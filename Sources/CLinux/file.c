#include "result.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: the open of a FIFO must not wait for its other end. */
int linux_open(const char *path, int flags, uint32_t mode) {
  return RETRY(open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, (mode_t)mode));
}

int64_t linux_seek(int fd, int64_t offset, int whence) {
  return RESULT((int64_t)lseek(fd, offset, whence));
}

ptrdiff_t linux_read_at(int fd, void *buffer, size_t count, int64_t offset) {
  return RETRY(pread(fd, buffer, count, offset));
}

ptrdiff_t linux_write_at(int fd, const void *bytes, size_t count, int64_t offset) {
  return RETRY(pwrite(fd, bytes, count, offset));
}

int linux_sync(int fd) { return RETRY(fsync(fd)); }
int linux_truncate(int fd, int64_t length) { return RETRY(ftruncate(fd, length)); }

static int64_t nanoseconds(struct timespec time) {
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int linux_stat(const char *path, linux_status *status) {
  struct stat raw;
  int result = RETRY(stat(path, &raw));
  if (result < 0) return result;
  *status = (linux_status){
      .device = raw.st_dev, .inode = raw.st_ino, .links = raw.st_nlink,
      .mode = raw.st_mode, .user = raw.st_uid, .group = raw.st_gid, .size = raw.st_size,
      .accessed = nanoseconds(raw.st_atim), .modified = nanoseconds(raw.st_mtim),
      .changed = nanoseconds(raw.st_ctim)};
  return 0;
}

int linux_rename(const char *from, const char *to) { return RESULT(rename(from, to)); }
int linux_unlink(const char *path) { return RESULT(unlink(path)); }
int linux_remove_directory(const char *path) { return RESULT(rmdir(path)); }

int linux_make_directory(const char *path, uint32_t mode) {
  return RESULT(mkdir(path, (mode_t)mode));
}

int linux_directory_open(const char *path, linux_directory **directory) {
  int fd = RETRY(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd < 0) return fd;
  DIR *stream = fdopendir(fd);
  if (!stream) {
    int result = -errno;
    linux_close(fd);
    return result;
  }
  *directory = (linux_directory *)stream;
  return 0;
}

int linux_directory_next(linux_directory *directory, char *name) {
  for (;;) {
    errno = 0;  /* the only sign that tells an error from the end */
    struct dirent *entry = readdir((DIR *)directory);
    if (!entry) return -errno;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    size_t length = strnlen(entry->d_name, LINUX_NAME_CAPACITY - 1);
    memcpy(name, entry->d_name, length);
    name[length] = 0;
    return 1;
  }
}

void linux_directory_close(linux_directory *directory) { closedir((DIR *)directory); }
