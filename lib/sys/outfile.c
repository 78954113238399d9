/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commit. Order: write all, fsync the file, check its close, rename, fsync
 * the directory. Whatever happens before the rename leaves the old file; the
 * rename is atomic; a failed fsync is final and the file is not published.
 *
 * A small file goes through the page cache, where its reader finds it; what is
 * behind the first BEHIND_BYTES of a large one is written behind, past it. The disk is
 * set to work on what is in the cache as soon as there is some: fsync has less to wait for.
 */
#include "sys/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "sys/behind.h"
#include "sys/dir.h"
#include "sys/guard.h"
#include "sys/pipe.h"
#include "sys/remote.h"

#define ENCODED_BYTES ((size_t)64 << 10) /* written at a time, about */
#define BEHIND_BYTES ((int64_t)32 << 20)
#define START_BYTES ((int64_t)4 << 20)

/* Directory part of path into dir ("." if none); the name behind it. */
static const char *split_path(const char *path, char *dir, size_t cap)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    if (!slash)
        snprintf(dir, cap, ".");
    else if (n == 0)
        snprintf(dir, cap, "/");
    else
        snprintf(dir, cap, "%.*s", (int)n, path);
    return slash ? slash + 1 : path;
}

static int make_tmp_path(struct bp_outfile *f, struct bp_err *err)
{
    char host[HOST_NAME_MAX + 1] = "localhost";
    char dir[PATH_MAX];
    struct bp_buf b = {0};
    const char *name = split_path(f->path, dir, sizeof dir);
    int rc;

    if (gethostname(host, sizeof host) < 0)
        return bp_fail_errno(err, errno, "cannot read the name of this host");
    host[HOST_NAME_MAX] = '\0';
    BP_GO(bp_buf_printf(&b, err, "%s/.tmp-%s.%s.%ld", dir, name, host, (long)getpid()));
    if (!bp_buf_str(&b, err)) {
        rc = err->code;
        goto out;
    }
    f->tmp_path = (char *)b.data;
    return 0;
out:
    bp_buf_release(&b);
    return rc;
}

/* A device or a named pipe is written as it is: a rename would take its place. */
static int open_special(struct bp_outfile *f, const char *path, struct bp_err *err)
{
    struct stat st;

    f->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) < 0)
        return bp_fail_errno(err, errno, "cannot open '%s'", path);
    f->is_pipe = S_ISFIFO(st.st_mode);
    return 0;
}

/* Is path a device, a named pipe, or another name of an open descriptor? */
static bool is_special(const char *path)
{
    static const char *const fds[] = {"/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/"};

    for (size_t i = 0; i < BP_COUNT_OF(fds); i++)
        if (strncmp(path, fds[i], strlen(fds[i])) == 0)
            return true;
    return bp_path_kind(path) == BP_PATH_OTHER;
}

int bp_outfile_open(struct bp_outfile *f, const char *path, struct bp_err *err)
{
    char dir[PATH_MAX], real[PATH_MAX];
    struct stat st;

    memset(f, 0, sizeof *f);
    f->fd = -1;
    f->guard = -1;
    if (bp_remote_kind(path))
        return bp_remote_outfile(f, path, err);
    if (strlen(path) + 300 > PATH_MAX)
        return bp_fail(err, BP_EUSAGE, "the path '%s' is too long", path);
    /* what a symbolic link names is replaced, not the link */
    if (!is_special(path) && lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && realpath(path, real))
        path = real;
    f->path = bp_mem_str(path, err);
    if (!f->path)
        return err->code;
    split_path(path, dir, sizeof dir);
    if (bp_path_kind(path) == BP_PATH_DIR) {
        bp_fail(err, BP_EUSAGE, "'%s' is a directory", path);
        goto fail;
    }
    if (is_special(path)) {
        if (open_special(f, path, err) < 0)
            goto fail;
        return 0;
    }
    if (bp_dir_sweep(dir, err) < 0 || make_tmp_path(f, err) < 0)
        goto fail;
    if (unlink(f->tmp_path) < 0 && errno != ENOENT) { /* ours: same host, same pid, dead */
        bp_fail_errno(err, errno, "cannot remove '%s'", f->tmp_path);
        goto fail;
    }
    f->fd = open(f->tmp_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        bp_fail_errno(err, errno, "cannot create '%s'", path);
        goto fail;
    }
    f->guard = bp_guard_add(f->tmp_path);
    return 0;
fail:
    bp_outfile_abort(f);
    return err->code;
}

int bp_outfile_borrow(struct bp_outfile *f, int fd, const char *name, struct bp_err *err)
{
    struct stat st;

    memset(f, 0, sizeof *f);
    f->fd = fd;
    f->borrowed = true;
    f->guard = -1;
    if (fstat(fd, &st) < 0)
        return bp_fail_errno(err, errno, "cannot write to %s", name);
    f->is_pipe = S_ISFIFO(st.st_mode);
    if (f->is_pipe)
        bp_pipe_widen(fd);
    f->path = bp_mem_str(name, err);
    return f->path ? 0 : err->code;
}

int bp_outfile_far(struct bp_outfile *f, const char *name, int fd, const struct bp_outfile_far *far,
                   void *self, struct bp_err *err)
{
    memset(f, 0, sizeof *f);
    f->fd = fd;
    f->guard = -1;
    f->is_pipe = true;
    f->far_ops = far;
    f->far_self = self;
    f->path = bp_mem_str(name, err);
    if (!f->path)
        bp_outfile_abort(f);
    return f->path ? 0 : err->code;
}

/* What stands behind it knows better than the pipe. */
static int far_closed(struct bp_outfile *f, struct bp_err *err)
{
    void *self = f->far_self;

    f->far_self = NULL;
    return f->far_ops->why(self, err);
}

static int write_failed(struct bp_outfile *f, struct bp_err *err)
{
    if (errno == EPIPE && f->far_self)
        return far_closed(f, err);
    if (errno == EPIPE)
        return bp_fail(err, BP_ECLOSED, "%s was closed by its reader", f->path);
    return bp_fail_errno(err, errno, "cannot write to '%s'", f->path);
}

int bp_outfile_write(struct bp_outfile *f, const void *p, size_t n, struct bp_err *err)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)p, .iov_len = n};

    return bp_outfile_writev(f, &iov, 1, err);
}

/* What the disk has at once. */
#define BLOCK_BYTES ((size_t)1 << 20)
#define SLOW_BLOCK_BYTES ((size_t)1 << 19)

/* Is the file written behind from here on? Not where memory is tight. */
static bool goes_behind(struct bp_outfile *f)
{
    if (!f->tried_behind && f->tmp_path && f->pos_bytes >= BEHIND_BYTES) {
        f->tried_behind = true;
        if (!bp_mem_is_tight())
            f->behind = bp_behind_open(f->fd, f->path, f->pos_bytes, f->is_slow ? 2 : 4,
                                       f->is_slow ? SLOW_BLOCK_BYTES : BLOCK_BYTES);
    }
    return f->behind != NULL;
}

static int write_behind(struct bp_outfile *f, const struct iovec *iov, int n_iov,
                        struct bp_err *err)
{
    for (int i = 0; i < n_iov; i++) {
        BP_TRY(bp_behind_write(f->behind, iov[i].iov_base, iov[i].iov_len, err));
        f->pos_bytes += (int64_t)iov[i].iov_len;
    }
    return 0;
}

/* A hint: what fails now fails again at fsync. */
static void start_disk(struct bp_outfile *f)
{
    if (!f->tmp_path || f->behind || f->pos_bytes - f->started_bytes < START_BYTES)
        return;
    (void)sync_file_range(f->fd, f->started_bytes, f->pos_bytes - f->started_bytes,
                          SYNC_FILE_RANGE_WRITE);
    f->started_bytes = f->pos_bytes;
}

static int write_all(struct bp_outfile *f, struct iovec *iov, int n_iov, struct bp_err *err)
{
    start_disk(f);
    if (goes_behind(f))
        return write_behind(f, iov, n_iov, err);
    while (n_iov > 0) {
        ssize_t w;

        if (iov->iov_len == 0) {
            iov++;
            n_iov--;
            continue;
        }
        w = writev(f->fd, iov, n_iov < IOV_MAX ? n_iov : IOV_MAX);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return write_failed(f, err);
        f->pos_bytes += w;
        while (n_iov > 0 && (size_t)w >= iov->iov_len) {
            w -= (ssize_t)iov->iov_len;
            iov++;
            n_iov--;
        }
        if (n_iov > 0) {
            iov->iov_base = (char *)iov->iov_base + w;
            iov->iov_len -= (size_t)w;
        }
    }
    return 0;
}

/* Small pieces are put together: the encoder gives few bytes for many. */
static int encode(struct bp_outfile *f, const void *p, size_t n, bool end, struct bp_err *err)
{
    struct iovec iov;
    int rc = f->encoder.encode(f->encoder.self, p, n, end, &f->encoded, err);

    if (rc < 0)
        return bp_err_prefix(err, "cannot write to '%s'", f->path);
    if (!end && f->encoded.len < ENCODED_BYTES)
        return 0;
    iov = (struct iovec){f->encoded.data, f->encoded.len};
    f->encoded.len = 0;
    return write_all(f, &iov, 1, err);
}

int bp_outfile_writev(struct bp_outfile *f, struct iovec *iov, int n_iov, struct bp_err *err)
{
    if (!f->encoder.self)
        return write_all(f, iov, n_iov, err);
    for (int i = 0; i < n_iov; i++)
        BP_TRY(encode(f, iov[i].iov_base, iov[i].iov_len, false, err));
    return 0;
}

static int close_fd(struct bp_outfile *f, struct bp_err *err)
{
    int fd = f->fd;

    f->fd = -1;
    if (close(fd) < 0)
        return bp_fail_errno(err, errno, "cannot close '%s'", f->path);
    return 0;
}

static int commit_far(struct bp_outfile *f, struct bp_err *err)
{
    void *self = f->far_self;
    int rc;

    BP_TRY(close_fd(f, err));
    f->far_self = NULL;
    rc = f->far_ops->commit(self, err);
    bp_outfile_abort(f);
    return rc;
}

int bp_outfile_commit(struct bp_outfile *f, struct bp_err *err)
{
    char dir[PATH_MAX];

    if (f->encoder.self && encode(f, "", 0, true, err) < 0)
        goto fail;
    if (f->far_self)
        return commit_far(f, err);
    if (!f->tmp_path) /* borrowed: a closed stdout or a full device shows at close */
        return close_fd(f, err);
    if (f->behind && bp_behind_finish(f->behind, err) < 0)
        goto fail;
    if (fsync(f->fd) < 0) {
        bp_fail_errno(err, errno, "cannot write '%s' to disk", f->path);
        goto fail;
    }
    if (close_fd(f, err) < 0)
        goto fail;
    if (rename(f->tmp_path, f->path) < 0) {
        bp_fail_errno(err, errno, "cannot rename '%s' to '%s'", f->tmp_path, f->path);
        goto fail;
    }
    bp_guard_remove(f->guard);
    f->guard = -1;
    bp_mem_free(f->tmp_path);
    f->tmp_path = NULL;
    split_path(f->path, dir, sizeof dir);
    BP_TRY(bp_dir_sync(dir, err));
    bp_outfile_abort(f);
    return 0;
fail:
    bp_outfile_abort(f);
    return err->code;
}

void bp_outfile_abort(struct bp_outfile *f)
{
    bp_behind_free(f->behind); /* before its descriptor is closed */
    f->behind = NULL;
    if (f->encoder.self)
        f->encoder.free(f->encoder.self);
    bp_buf_release(&f->encoded);
    if (f->far_self)
        f->far_ops->abort(f->far_self);
    if (!f->tmp_path && f->fd > STDERR_FILENO && !f->borrowed)
        close(f->fd); /* a device, or what is far */
    if (f->tmp_path) {
        if (f->fd >= 0)
            close(f->fd); /* thrown away: its failure is of no account */
        unlink(f->tmp_path);
        bp_guard_remove(f->guard);
    }
    bp_mem_free(f->tmp_path);
    bp_mem_free(f->path);
    memset(f, 0, sizeof *f);
    f->fd = -1;
    f->guard = -1;
}
