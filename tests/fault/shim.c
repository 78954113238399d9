/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An LD_PRELOAD library that makes one call fail.
 *
 *   BP_FAULT=KIND:N[:HOW]   the N-th call (from 1) of KIND: malloc (all that allocate), read,
 * write, open, rename, fsync, close HOW                     `persist`: that call and all after it;
 * `eintr`: that one is interrupted; `short`: that one moves a single byte (read, write)
 *   BP_FAULT_MARK=FILE      made when a call failed, so that the runner knows when to stop
 *
 * Calls count from the shim's constructor on, that is after the loader and before main. Calls that
 * libc makes to itself (the read in fgets, say) are not seen. A failed close closes nevertheless,
 * as on Linux. Nothing here allocates.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { MALLOC, READ, WRITE, OPEN, RENAME, FSYNC, CLOSE, N_KINDS };
enum how { ONCE, PERSIST, EINTR_ONCE, SHORT_ONCE };

static const char *const kind_names[N_KINDS] = {"malloc", "read",  "write", "open",
                                                "rename", "fsync", "close"};
static const int kind_errno[N_KINDS] = {ENOMEM, EIO, ENOSPC, EMFILE, EIO, EIO, EIO};

static enum kind fail_kind = N_KINDS;
static enum how fail_how;
static long fail_at;
static atomic_long n_calls;

__attribute__((constructor)) static void read_order(void)
{
    const char *order = getenv("BP_FAULT");
    char *end;

    for (int k = 0; order && k < N_KINDS; k++) {
        size_t n = strlen(kind_names[k]);

        if (strncmp(order, kind_names[k], n) != 0 || order[n] != ':')
            continue;
        fail_at = strtol(order + n + 1, &end, 10);
        fail_how = strcmp(end, ":persist") == 0 ? PERSIST
                   : strcmp(end, ":eintr") == 0 ? EINTR_ONCE
                   : strcmp(end, ":short") == 0 ? SHORT_ONCE
                                                : ONCE;
        fail_kind = (enum kind)k; /* last: from here on it counts */
    }
}

static void mark(void)
{
    const char *path = getenv("BP_FAULT_MARK");
    long fd;

    if (!path)
        return;
    fd = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    if (fd >= 0)
        syscall(SYS_close, fd);
}

/* Is this the call? */
static bool hit(enum kind k)
{
    long n;

    if (k != fail_kind)
        return false;
    n = atomic_fetch_add(&n_calls, 1) + 1;
    if (n != fail_at && !(fail_how == PERSIST && n > fail_at))
        return false;
    if (n == fail_at)
        mark();
    return true;
}

static bool fails(enum kind k)
{
    if (!hit(k))
        return false;
    errno = fail_how == EINTR_ONCE ? EINTR : kind_errno[k];
    return true;
}

/* ---- memory: to whoever is next, which may be a sanitizer's ---- */

static char early[1 << 16]; /* for what dlsym itself asks for */
static size_t early_used;
static bool finding;

static void *early_new(size_t n)
{
    size_t at = early_used;

    early_used += (n + 15) & ~(size_t)15;
    return early_used <= sizeof early ? early + at : NULL;
}

static void *next_of(void **slot, const char *name)
{
    if (!*slot) {
        finding = true;
        *slot = dlsym(RTLD_NEXT, name);
        finding = false;
    }
    return *slot;
}

#define NEXT(type, name, ...)                                                                      \
    static void *slot;                                                                             \
    type call;                                                                                     \
    void *found = next_of(&slot, name);                                                            \
    memcpy(&call, &found, sizeof call);                                                            \
    return call(__VA_ARGS__)

typedef void *(*malloc_fn)(size_t);
typedef void *(*two_sizes_fn)(size_t, size_t);
typedef void *(*realloc_fn)(void *, size_t);
typedef int (*memalign_fn)(void **, size_t, size_t);

void *malloc(size_t n)
{
    if (finding)
        return early_new(n);
    if (fails(MALLOC))
        return NULL;
    NEXT(malloc_fn, "malloc", n);
}

void *calloc(size_t n, size_t size)
{
    if (finding)
        return early_new(n * size);
    if (fails(MALLOC))
        return NULL;
    NEXT(two_sizes_fn, "calloc", n, size);
}

void *realloc(void *p, size_t n)
{
    if (fails(MALLOC))
        return NULL;
    NEXT(realloc_fn, "realloc", p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    if (fails(MALLOC))
        return NULL;
    NEXT(two_sizes_fn, "aligned_alloc", align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    if (fails(MALLOC))
        return ENOMEM;
    NEXT(memalign_fn, "posix_memalign", out, align, n);
}

/* ---- files: straight to the system ---- */

ssize_t read(int fd, void *p, size_t n)
{
    if (hit(READ)) {
        if (fail_how != SHORT_ONCE) {
            errno = fail_how == EINTR_ONCE ? EINTR : EIO;
            return -1;
        }
        n = n ? 1 : 0;
    }
    return syscall(SYS_read, fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    if (hit(READ)) {
        if (fail_how != SHORT_ONCE) {
            errno = fail_how == EINTR_ONCE ? EINTR : EIO;
            return -1;
        }
        n = n ? 1 : 0;
    }
    return syscall(SYS_pread64, fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off_t at)
{
    return pread(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (hit(WRITE)) {
        if (fail_how != SHORT_ONCE) {
            errno = fail_how == EINTR_ONCE ? EINTR : ENOSPC;
            return -1;
        }
        n = n ? 1 : 0;
    }
    return syscall(SYS_write, fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    if (hit(WRITE)) {
        if (fail_how != SHORT_ONCE) {
            errno = fail_how == EINTR_ONCE ? EINTR : ENOSPC;
            return -1;
        }
        n = n ? 1 : 0;
    }
    return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
    if (hit(WRITE)) {
        if (fail_how != SHORT_ONCE) {
            errno = fail_how == EINTR_ONCE ? EINTR : ENOSPC;
            return -1;
        }
        for (int i = 0; i < n; i++)
            if (iov[i].iov_len)
                return syscall(SYS_write, fd, iov[i].iov_base, (size_t)1);
    }
    return syscall(SYS_writev, fd, iov, n);
}

int openat(int dir, const char *path, int flags, ...)
{
    unsigned mode = 0;
    va_list ap;

    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(ap, flags);
        mode = va_arg(ap, unsigned);
        va_end(ap);
    }
    if (fails(OPEN))
        return -1;
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    unsigned mode = 0;
    va_list ap;

    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(ap, flags);
        mode = va_arg(ap, unsigned);
        va_end(ap);
    }
    return openat(AT_FDCWD, path, flags, mode);
}

int rename(const char *from, const char *to)
{
    return fails(RENAME) ? -1 : (int)syscall(SYS_rename, from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails(RENAME) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return fails(RENAME) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int syncfs(int fd)
{
    return fails(FSYNC) ? -1 : (int)syscall(SYS_syncfs, fd);
}

int fsync(int fd)
{
    return fails(FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fails(FSYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int close(int fd)
{
    bool bad = hit(CLOSE);
    long rc = syscall(SYS_close, fd);

    if (!bad || rc < 0)
        return (int)rc;
    errno = EIO;
    return -1;
}
