/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "sys/openfile.h"
#include "sys/pipe.h"
#include "sys/remote.h"

static int set_name(struct bp_input *in, const char *name, struct bp_err *err)
{
    memset(in, 0, sizeof *in);
    in->fd = -1;
    in->size_bytes = -1;
    in->name = bp_mem_str(name, err);
    return in->name ? 0 : err->code;
}

int bp_input_open(struct bp_input *in, const char *path, struct bp_err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat st;

    if (bp_remote_kind(path))
        return bp_remote_input(in, path, err);
    BP_TRY(set_name(in, is_stdin ? "stdin" : path, err));
    in->fd = is_stdin ? STDIN_FILENO : bp_openfile_descriptor(path);
    if (in->fd < 0) {
        bp_fail_errno(err, errno, "cannot open '%s'", path);
        goto fail;
    }
    if (fstat(in->fd, &st) < 0) {
        bp_fail_errno(err, errno, "cannot read '%s'", in->name);
        goto fail;
    }
    if (S_ISDIR(st.st_mode)) {
        bp_fail(err, BP_EDATA, "'%s' is a directory, not a file", in->name);
        goto fail;
    }
    in->is_file = S_ISREG(st.st_mode) && !is_stdin;
    if (S_ISREG(st.st_mode)) {
        in->size_bytes = st.st_size;
        in->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
        (void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice only */
        /* `prog < file`: a file like any other when it is read from its start */
        if (!is_stdin) {
            int fd = in->fd;

            in->fd = -1;
            if (bp_openfile_new(&in->file, path, fd, err) < 0)
                goto fail;
        }
        if (is_stdin && lseek(in->fd, 0, SEEK_CUR) == 0)
            in->is_file = true;
    } else if (S_ISFIFO(st.st_mode)) {
        bp_pipe_widen(in->fd);
    }
    return 0;
fail:
    bp_input_close(in);
    return err->code;
}

struct memory {
    const uint8_t *p;
    size_t n, pos;
};

static int memory_read(void *self, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct memory *m = self;

    (void)err;
    *got = BP_MIN(n, m->n - m->pos);
    if (*got)
        memcpy(p, m->p + m->pos, *got);
    m->pos += *got;
    return 0;
}

static int memory_read_at(void *self, void *p, size_t n, int64_t offset, size_t *got,
                          struct bp_err *err)
{
    const struct memory *m = self;

    (void)err;
    *got = offset >= 0 && (uint64_t)offset < m->n ? BP_MIN(n, m->n - (size_t)offset) : 0;
    if (*got)
        memcpy(p, m->p + offset, *got);
    return 0;
}

static const struct bp_input_ops memory_ops = {
    .read = memory_read, .free = bp_mem_free, .read_at = memory_read_at};

int bp_input_from_memory(struct bp_input *in, const char *name, const void *p, size_t n,
                         struct bp_err *err)
{
    struct memory *m;

    BP_TRY(set_name(in, name, err));
    m = bp_mem_new(1, sizeof *m, err);
    if (!m) {
        bp_input_close(in);
        return err->code;
    }
    m->p = p;
    m->n = n;
    in->ops = &memory_ops;
    in->self = m;
    in->size_bytes = (int64_t)n;
    in->is_file = true;
    return 0;
}

/* What self gave before it began again. */
static int skip(struct bp_input *in, struct bp_err *err)
{
    uint8_t room[4096];
    size_t got;

    while (in->skip_bytes) {
        BP_TRY(in->ops->read(in->self, room, (size_t)BP_MIN(in->skip_bytes, (int64_t)sizeof room),
                             &got, err));
        if (!got)
            return bp_fail(err, BP_EDATA, "'%s' became shorter while it was read", in->name);
        in->skip_bytes -= (int64_t)got;
    }
    return 0;
}

static int raw_read(struct bp_input *in, void *p, size_t n, size_t *got, struct bp_err *err)
{
    int fd = in->fd;
    ssize_t r;

    if (in->ops) {
        BP_TRY(skip(in, err));
        return in->ops->read(in->self, p, n, got, err);
    }
    if (in->file)
        BP_TRY(bp_openfile_use(in->file, &fd, err));
    do
        r = in->file ? pread(fd, p, n, in->raw_bytes) : read(fd, p, n);
    while (r < 0 && errno == EINTR);
    if (in->file)
        bp_openfile_done(in->file);
    if (r < 0)
        return bp_fail_errno(err, errno, "cannot read '%s' at byte %lld", in->name,
                             (long long)in->pos_bytes);
    *got = (size_t)r;
    in->raw_bytes += r;
    return 0;
}

int bp_input_peek(struct bp_input *in, size_t n, const uint8_t **p, size_t *got, struct bp_err *err)
{
    size_t have = in->ahead.len - in->ahead_pos, r;

    if (in->ahead_pos) {
        if (have)
            memmove(in->ahead.data, in->ahead.data + in->ahead_pos, have);
        in->ahead.len = have;
        in->ahead_pos = 0;
    }
    while (have < n) {
        size_t step = BP_MIN(n - have, (size_t)1 << 16);

        BP_TRY(bp_buf_reserve(&in->ahead, step, err));
        BP_TRY(raw_read(in, in->ahead.data + in->ahead.len, step, &r, err));
        if (!r)
            break;
        in->ahead.len += r;
        have += r;
    }
    *p = in->ahead.data;
    *got = BP_MIN(have, n);
    return 0;
}

int bp_input_read_some(struct bp_input *in, void *p, size_t n, size_t *got, struct bp_err *err)
{
    size_t have = in->ahead.len - in->ahead_pos;

    if (have) {
        *got = BP_MIN(have, n);
        memcpy(p, in->ahead.data + in->ahead_pos, *got);
        in->ahead_pos += *got;
    } else {
        BP_TRY(raw_read(in, p, n, got, err));
    }
    in->pos_bytes += (int64_t)*got;
    return 0;
}

int bp_input_read(struct bp_input *in, void *p, size_t n, size_t *got, struct bp_err *err)
{
    size_t r;

    *got = 0;
    while (*got < n) {
        BP_TRY(bp_input_read_some(in, (uint8_t *)p + *got, n - *got, &r, err));
        if (!r)
            break;
        *got += r;
    }
    return 0;
}

int bp_input_read_at(const struct bp_input *in, void *p, size_t n, int64_t offset, size_t *got,
                     struct bp_err *err)
{
    int fd = in->fd;
    ssize_t r = 0;

    *got = 0;
    if (in->ops)
        return in->ops->read_at(in->self, p, n, offset, got, err);
    if (in->file)
        BP_TRY(bp_openfile_use(in->file, &fd, err));
    while (*got < n) {
        r = pread(fd, (uint8_t *)p + *got, n - *got, offset + (int64_t)*got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        *got += (size_t)r;
    }
    if (r < 0)
        bp_fail_errno(err, errno, "cannot read '%s' at byte %lld", in->name, (long long)offset);
    if (in->file)
        bp_openfile_done(in->file);
    return r < 0 ? err->code : 0;
}

void bp_input_want(const struct bp_input *in, size_t n, int64_t offset)
{
    if (in->ops && in->ops->want)
        in->ops->want(in->self, n, offset);
}

void bp_input_rest(struct bp_input *in)
{
    if (in->file)
        in->raw_bytes = in->pos_bytes;
    else if (in->ops && in->ops->rewind && in->ops->rewind(in->self))
        in->skip_bytes = in->pos_bytes;
    else
        return;
    bp_buf_release(&in->ahead);
    in->ahead_pos = 0;
}

void bp_input_finish(struct bp_input *in)
{
    struct bp_input end = {.name = in->name,
                           .fd = -1,
                           .size_bytes = in->size_bytes,
                           .mtime_ns = in->mtime_ns,
                           .is_named = in->is_named,
                           .pos_bytes = in->pos_bytes};

    memcpy(end.version, in->version, sizeof end.version);
    in->name = NULL;
    bp_input_close(in);
    *in = end;
}

void bp_input_close(struct bp_input *in)
{
    if (in->ops)
        in->ops->free(in->self);
    else if (in->fd > STDERR_FILENO)
        close(in->fd); /* read only: nothing can be lost */
    bp_openfile_free(in->file);
    bp_buf_release(&in->ahead);
    bp_mem_free(in->name);
    memset(in, 0, sizeof *in);
    in->fd = -1;
}

void bp_input_move(struct bp_input *dst, struct bp_input *src)
{
    *dst = *src;
    memset(src, 0, sizeof *src);
    src->fd = -1;
}

int bp_read_file(const char *path, size_t max_bytes, struct bp_buf *out, struct bp_err *err)
{
    struct bp_input in;
    size_t got;
    int rc;

    BP_TRY(bp_input_open(&in, path, err));
    for (;;) {
        BP_GO(bp_buf_reserve(out, 65536, err));
        BP_GO(bp_input_read_some(&in, out->data + out->len, 65536, &got, err));
        if (!got)
            break;
        out->len += got;
        if (out->len > max_bytes) {
            rc = bp_fail(err, BP_EDATA, "'%s' is larger than %zu bytes", path, max_bytes);
            goto out;
        }
    }
    rc = 0;
out:
    bp_input_close(&in);
    return rc;
}
