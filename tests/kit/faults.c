/* Lets one operation on files below a folder fail, as a full or broken disk does (LD_PRELOAD).

   Operations are counted from 0 after faults_arm; the one with number `at` fails with `code`, and
   where `on` is set all that follow do too. Each is written to the descriptor `list` as a line. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static char below[PATH_MAX];
static size_t below_length;
static long at = -1, seen;
static int code, on, list = -1;

void faults_arm(const char *folder, long number, int error, int stays, int descriptor) {
  snprintf(below, sizeof below, "%s", folder);
  below_length = strlen(below);
  at = number, seen = 0, code = error, on = stays, list = descriptor;
}

static int fails(const char *what, const char *path) {
  if (!below_length || strncmp(path, below, below_length)) return 0;
  long number = seen++;
  if (list >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %s\n", what, path + below_length);
    syscall(SYS_write, list, line, length);
  }
  if (at < 0 || !(on ? number >= at : number == at)) return 0;
  errno = code;
  return 1;
}

static int fails_at(const char *what, int folder, const char *name) {
  char whole[PATH_MAX], from[PATH_MAX], link[64];
  if (!below_length || !name) return 0;
  if (name[0] == '/') return fails(what, name);
  if (folder == AT_FDCWD) {
    if (!getcwd(from, sizeof from)) return 0;
  } else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, from, sizeof from - 1);
    if (length < 0) return 0;
    from[length] = 0;
  }
  if (snprintf(whole, sizeof whole, "%s/%s", from, name) >= (int)sizeof whole) return 0;
  return fails(what, whole);
}

static int fails_of(const char *what, int file) {
  char link[64], path[PATH_MAX];
  int kept = errno;
  if (!below_length) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = kept;
  if (length < 0) return 0;
  path[length] = 0;
  return fails(what, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                        \
  int name(const char *path, int flags, ...) {                            \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                         \
    if (fails_at("open", AT_FDCWD, path)) return -1;                      \
    return REAL(name)(path, flags, mode);                                 \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                      \
  int name(int folder, const char *path, int flags, ...) {                \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                         \
    if (fails_at("open", folder, path)) return -1;                        \
    return REAL(name)(folder, path, flags, mode);                         \
  }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                        \
  FILE *name(const char *path, const char *mode) {         \
    if (fails_at("open", AT_FDCWD, path)) return NULL;     \
    return REAL(name)(path, mode);                         \
  }
FOPEN(fopen)
FOPEN(fopen64)

DIR *opendir(const char *path) {
  return fails_at("list", AT_FDCWD, path) ? NULL : REAL(opendir)(path);
}

ssize_t write(int file, const void *from, size_t count) {
  return fails_of("write", file) ? -1 : REAL(write)(file, from, count);
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) {
  static ssize_t (*real)(int, int, off64_t *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "sendfile64");
  return fails_of("write", to) ? -1 : real(to, from, offset, count);
}

int close(int file) {
  int failed = fails_of("close", file), kept = errno;
  int status = REAL(close)(file);
  if (!failed) return status;
  errno = kept;
  return -1;
}

int fsync(int file) { return fails_of("fsync", file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails_of("fsync", file) ? -1 : REAL(fdatasync)(file); }
int ftruncate64(int file, off64_t to) {
  return fails_of("truncate", file) ? -1 : REAL(ftruncate64)(file, to);
}

int rename(const char *from, const char *to) {
  return fails_at("rename", AT_FDCWD, to) ? -1 : REAL(rename)(from, to);
}

int renameat(int one, const char *from, int other, const char *to) {
  return fails_at("rename", other, to) ? -1 : REAL(renameat)(one, from, other, to);
}

int link(const char *from, const char *to) {
  return fails_at("link", AT_FDCWD, to) ? -1 : REAL(link)(from, to);
}

int unlink(const char *path) {
  return fails_at("remove", AT_FDCWD, path) ? -1 : REAL(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags) {
  return fails_at("remove", folder, path) ? -1 : REAL(unlinkat)(folder, path, flags);
}

int mkdir(const char *path, mode_t mode) {
  return fails_at("mkdir", AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode);
}

int rmdir(const char *path) {
  return fails_at("rmdir", AT_FDCWD, path) ? -1 : REAL(rmdir)(path);
}

int chmod(const char *path, mode_t mode) {
  return fails_at("chmod", AT_FDCWD, path) ? -1 : REAL(chmod)(path, mode);
}

#define LOCKED(name)                                                      \
  int name(int file, int what, ...) {                                     \
    va_list rest;                                                         \
    va_start(rest, what);                                                 \
    void *given = va_arg(rest, void *);                                   \
    va_end(rest);                                                         \
    if ((what == F_SETLK || what == F_SETLKW) && fails_of("lock", file)) return -1; \
    return REAL(name)(file, what, given);                                 \
  }
LOCKED(fcntl)
LOCKED(fcntl64)
