/* SPDX-License-Identifier: Apache-2.0 */
/* O_TMPFILE where the file system has it; else a name that lives for an instant. */
#include "sys/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"

static int open_in(const char *dir)
{
    char path[PATH_MAX];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
        return fd;
    snprintf(path, sizeof path, "%s/.tmp-batchpipe.XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int bp_tempfile_open(struct bp_tempfile *f, struct bp_err *err)
{
    const char *dir = getenv("TMPDIR");

    *f = (struct bp_tempfile){.fd = -1};
    if (!dir || !*dir)
        dir = "/tmp";
    if (strlen(dir) + 64 > PATH_MAX)
        return bp_fail(err, BP_EUSAGE, "TMPDIR: the path is too long");
    f->dir = bp_mem_str(dir, err);
    if (!f->dir)
        return err->code;
    f->fd = open_in(dir);
    if (f->fd >= 0)
        return 0;
    bp_fail_errno(err, errno, "cannot create a temporary file in '%s' (TMPDIR)", dir);
    bp_tempfile_close(f);
    return err->code;
}

void bp_tempfile_close(struct bp_tempfile *f)
{
    if (f->fd >= 0)
        close(f->fd); /* thrown away: its failure is of no account */
    bp_mem_free(f->dir);
    *f = (struct bp_tempfile){.fd = -1};
}

int64_t bp_tempfile_free_bytes(const struct bp_tempfile *f)
{
    struct statvfs s;

    if (fstatvfs(f->fd, &s) < 0)
        return -1;
    return (int64_t)s.f_bavail * (int64_t)s.f_frsize;
}

void bp_tempfile_discard(const struct bp_tempfile *f, int64_t from, int64_t to)
{
    (void)!fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from);
}

/* ---- at places ---- */

int bp_tempfile_write_at(const struct bp_tempfile *f, struct iovec *iov, int n, int64_t at,
                         struct bp_err *err)
{
    while (n) {
        ssize_t w = pwritev(f->fd, iov, n, at);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return bp_fail_errno(err, w < 0 ? errno : EIO,
                                 "cannot write the temporary file in '%s'", f->dir);
        at += w;
        for (; n && (size_t)w >= iov->iov_len; iov++, n--)
            w -= (ssize_t)iov->iov_len;
        if (n) {
            iov->iov_base = (char *)iov->iov_base + w;
            iov->iov_len -= (size_t)w;
        }
    }
    return 0;
}

/* What there is at a place: some bytes, or 0 at the end. */
static ssize_t read_some(const struct bp_tempfile *f, void *p, size_t n, int64_t at,
                         struct bp_err *err)
{
    ssize_t r;

    do
        r = pread(f->fd, p, n, at);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return bp_fail_errno(err, errno, "cannot read the temporary file in '%s'", f->dir);
    return r;
}

int bp_tempfile_read_at(const struct bp_tempfile *f, void *p, size_t n, int64_t at,
                        struct bp_err *err)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read_some(f, (char *)p + got, n - got, at + (int64_t)got, err);

        if (r < 0)
            return err->code;
        if (r == 0)
            return bp_fail(err, BP_ESYS, "the temporary file in '%s' has become shorter", f->dir);
        got += (size_t)r;
    }
    return 0;
}

/* ---- a part of it as an input ---- */

struct part {
    const struct bp_tempfile *f;
    int64_t at, to;
};

static int part_read(void *self, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct part *s = self;
    ssize_t r;

    r = read_some(s->f, p, BP_MIN(n, (size_t)(s->to - s->at)), s->at, err);
    if (r < 0)
        return err->code;
    s->at += r;
    *got = (size_t)r;
    return 0;
}

static const struct bp_input_ops part_ops = {.read = part_read, .free = bp_mem_free};

int bp_tempfile_input(struct bp_input *out, const struct bp_tempfile *f, int64_t from, int64_t to,
                      struct bp_err *err)
{
    struct part *s = bp_mem_new(1, sizeof *s, err);

    memset(out, 0, sizeof *out);
    out->fd = -1;
    out->size_bytes = -1;
    if (!s)
        return err->code;
    *s = (struct part){f, from, to};
    out->ops = &part_ops;
    out->self = s;
    out->name = bp_mem_str("temporary file", err);
    if (out->name)
        return 0;
    bp_input_close(out);
    return err->code;
}

/* ---- all of it ---- */

int bp_tempfile_whole(struct bp_input *out, const struct bp_tempfile *f, struct bp_err *err)
{
    struct stat st;

    memset(out, 0, sizeof *out);
    out->fd = fcntl(f->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (out->fd < 0 || fstat(out->fd, &st) < 0) {
        bp_fail_errno(err, errno, "cannot read the temporary file in '%s'", f->dir);
        goto fail;
    }
    out->is_file = true;
    out->size_bytes = st.st_size;
    out->name = bp_mem_str("temporary file", err);
    if (out->name)
        return 0;
fail:
    if (out->fd >= 0)
        close(out->fd);
    out->fd = -1;
    return err->code;
}
