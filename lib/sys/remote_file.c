/* SPDX-License-Identifier: Apache-2.0 */
/* Objects with URLs as inputs, outputs, and names in directories. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "sys/outtree.h"
#include "sys/remote.h"
#include "sys/wire.h"

enum bp_remote_kind bp_remote_kind(const char *path)
{
    if (strncmp(path, "s3://", 5) == 0)
        return BP_REMOTE_S3;
    if (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0)
        return BP_REMOTE_HTTP;
    return BP_REMOTE_NONE;
}

const char *bp_remote_shown(const char *path, char *buf, size_t n)
{
    const char *query = bp_remote_kind(path) == BP_REMOTE_HTTP ? strchr(path, '?') : NULL;

    if (!query)
        return path;
    snprintf(buf, n, "%.*s?...", (int)BP_MIN(query - path, (ptrdiff_t)n - 5), path);
    return buf;
}

/* ---- reading ---- */

struct far_in {
    char *url;
    int64_t pos;
    bool any_place;
};

static int far_read(void *self, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct far_in *f = self;

    BP_TRY(bp_remote_read(f->url, p, n, f->pos, got, err));
    f->pos += (int64_t)*got;
    return 0;
}

static int far_read_at(void *self, void *p, size_t n, int64_t offset, size_t *got,
                       struct bp_err *err)
{
    struct far_in *f = self;

    return bp_remote_read(f->url, p, n, offset, got, err);
}

static void far_want(void *self, size_t n, int64_t offset)
{
    struct far_in *f = self;

    bp_remote_want(f->url, n, offset);
}

static bool far_rewind(void *self)
{
    struct far_in *f = self;

    if (f->any_place)
        f->pos = 0;
    return f->any_place;
}

static void far_free(void *self)
{
    struct far_in *f = self;

    bp_mem_free(f->url);
    bp_mem_free(f);
}

static const struct bp_input_ops far_in_ops = {.read = far_read,
                                               .free = far_free,
                                               .read_at = far_read_at,
                                               .rewind = far_rewind,
                                               .want = far_want};

int bp_remote_input(struct bp_input *in, const char *url, struct bp_err *err)
{
    struct bp_remote_look look;
    struct far_in *f;
    char shown[1024];

    memset(in, 0, sizeof *in);
    in->fd = -1;
    BP_TRY(bp_remote_look(url, &look, err));
    if (look.kind == 'd')
        return bp_fail(err, BP_EDATA, "'%s' is a directory, not a file", url);
    if (look.kind == 'n')
        return bp_fail(err, BP_EDATA, "cannot open '%s': there is no such object",
                       bp_remote_shown(url, shown, sizeof shown));
    f = bp_mem_new(1, sizeof *f, err);
    in->name = bp_mem_str(bp_remote_shown(url, shown, sizeof shown), err);
    if (f)
        f->url = bp_mem_str(url, err);
    if (!f || !f->url || !in->name) {
        bp_mem_free(f ? f->url : NULL);
        bp_mem_free(f);
        bp_mem_free(in->name);
        in->name = NULL;
        return err->code;
    }
    f->any_place = in->is_file = look.kind == 'f';
    in->is_named = true;
    in->size_bytes = look.size_bytes;
    in->mtime_ns = look.mtime_ns;
    memcpy(in->version, look.version, sizeof in->version);
    in->ops = &far_in_ops;
    in->self = f;
    return 0;
}

/* ---- writing ---- */

struct far_out {
    int fd, pid;
};

/* The answer, if there is one, and the end of the helper. */
static int ended(struct far_out *f, struct bp_err *err)
{
    struct bp_wire_head head;
    char text[1024];
    ssize_t n;

    do
        n = recv(f->fd, &head, sizeof head, MSG_WAITALL);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof head || (head.op != BP_WIRE_OK && head.op != BP_WIRE_FAIL)) {
        bp_fail(err, BP_EDATA, "the helper bp-remote died");
    } else if (head.op == BP_WIRE_FAIL) {
        n = recv(f->fd, text, BP_MIN((size_t)head.n_bytes, sizeof text - 1), MSG_WAITALL);
        text[n > 0 ? n : 0] = '\0';
        bp_fail(err, head.a < 0 ? (int)head.a : BP_EDATA, "%s", text);
    }
    close(f->fd);
    while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    bp_mem_free(f);
    return err->code;
}

static int far_commit(void *self, struct bp_err *err)
{
    struct far_out *f = self;

    (void)send(f->fd, "c", 1, MSG_NOSIGNAL); /* lost, the answer is missing */
    return ended(f, err);
}

static void far_abort(void *self)
{
    struct far_out *f = self;

    close(f->fd); /* no 'c': it removes what it has put */
    while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    bp_mem_free(f);
}

static int far_why(void *self, struct bp_err *err)
{
    return ended(self, err) < 0
               ? err->code
               : bp_fail(err, BP_EDATA, "the helper bp-remote closed its input too early");
}

static const struct bp_outfile_far far_out_ops = {far_commit, far_abort, far_why};

int bp_remote_outfile(struct bp_outfile *f, const char *url, struct bp_err *err)
{
    char shown[1024];
    struct far_out *o;
    int data;

    memset(f, 0, sizeof *f);
    f->fd = -1;
    if (bp_remote_kind(url) == BP_REMOTE_HTTP)
        return bp_fail(err, BP_EUSAGE, "'%s': http can be read, not written; s3:// can be written",
                       bp_remote_shown(url, shown, sizeof shown));
    o = bp_mem_new(1, sizeof *o, err);
    if (!o || bp_remote_start("put", url, &o->fd, &data, &o->pid, err) < 0) {
        bp_mem_free(o);
        return err->code;
    }
    return bp_outfile_far(f, url, data, &far_out_ops, o, err);
}

/* ---- names ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* key up to the end of its n-th component. */
static char *components(const char *key, int n, struct bp_err *err)
{
    struct bp_buf b = {0};
    size_t len = 0;

    while (key[len] && (key[len] != '/' || --n > 0))
        len++;
    if (bp_buf_append(&b, key, len, err) < 0 || !bp_buf_str(&b, err))
        bp_buf_release(&b);
    return (char *)b.data;
}

static int match(const char *head, const char *rest, const char *pattern, struct bp_names *out,
                 struct bp_err *err)
{
    struct bp_buf full = {0};
    int n = 1, rc;
    char *name = NULL;

    for (const char *p = pattern; *p; p++)
        n += *p == '/';
    BP_GO(bp_buf_printf(&full, err, "%s%s", head, rest));
    if (!bp_buf_str(&full, err))
        BP_GO(err->code);
    name = components((const char *)full.data, n, err);
    if (!name)
        BP_GO(err->code);
    if (fnmatch(pattern, name, FNM_PATHNAME | FNM_PERIOD) == 0 &&
        (!out->n || strcmp(out->names[out->n - 1], name) != 0))
        rc = bp_names_add(out, name, err);
out:
    bp_mem_free(name);
    bp_buf_release(&full);
    return rc;
}

/* Of the matches none may lie in a directory that is unfinished, as far as that was listed. */
static int check_finished(const char *head, const struct bp_names *l, const struct bp_names *out,
                          struct bp_err *err)
{
    for (int i = 0; i < l->n; i++) {
        const char *slash = strrchr(l->names[i], '/');
        size_t n_head = strlen(head), n = slash ? (size_t)(slash - l->names[i]) : 0;

        if (!slash || strcmp(slash + 1, BP_UNFINISHED_NAME) != 0)
            continue;
        for (int k = 0; k < out->n; k++) {
            const char *name = out->names[k];

            if (strncmp(name, head, n_head) == 0 && strncmp(name + n_head, l->names[i], n) == 0 &&
                (name[n_head + n] == '/' || !name[n_head + n]))
                return bp_fail(err, BP_EDATA,
                               "'%s%.*s' is not complete: its writer has not ended, or died", head,
                               (int)n, l->names[i]);
        }
    }
    return 0;
}

/* What lies below the pattern's last '/' before a wildcard is listed; deep where more
 * components follow. */
int bp_remote_glob(const char *pattern, struct bp_names *out, struct bp_err *err)
{
    size_t wild = strcspn(pattern, "*?["), n = wild;
    bool deep = strchr(pattern + wild, '/') != NULL;
    struct bp_buf head = {0};
    struct bp_names l = {0};
    int rc, kept = 0;

    *out = (struct bp_names){0};
    while (n && pattern[n - 1] != '/')
        n--;
    BP_GO(bp_buf_append(&head, pattern, wild, err));
    if (!bp_buf_str(&head, err))
        BP_GO(err->code);
    BP_GO(bp_remote_list((const char *)head.data, deep, &l, err));
    if (l.n)
        qsort(l.names, (size_t)l.n, sizeof *l.names, by_bytes);
    for (int i = 0; i < l.n; i++)
        BP_GO(match((const char *)head.data, l.names[i], pattern, out, err));
    if (out->n)
        qsort(out->names, (size_t)out->n, sizeof *out->names, by_bytes);
    for (int i = 0; i < out->n; i++) /* a directory once */
        if (kept && strcmp(out->names[i], out->names[kept - 1]) == 0)
            bp_mem_free(out->names[i]);
        else
            out->names[kept++] = out->names[i];
    out->n = kept;
    rc = check_finished((const char *)head.data, &l, out, err);
out:
    bp_names_release(&l);
    bp_buf_release(&head);
    if (rc < 0)
        bp_names_release(out);
    return rc;
}
