/* SPDX-License-Identifier: Apache-2.0 */
/* Shell commands that stand where a file could: their output read, their input written. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/child.h"
#include "sys/input.h"
#include "sys/outfile.h"

struct reading {
    char *name, *text;
    struct bp_child *child; /* NULL: not started, or ended */
    int fd;
    bool ended;
    struct bp_err failed; /* told again and again: it is not started anew */
};

static void stop(struct reading *r)
{
    bp_child_kill(r->child);
    r->child = NULL;
    if (r->fd >= 0)
        close(r->fd); /* read only */
    r->fd = -1;
}

static int finish(struct reading *r)
{
    struct bp_child *c = r->child;
    int rc;

    r->child = NULL;
    r->ended = true;
    rc = bp_child_finish(c, &r->failed);
    stop(r);
    return rc < 0 ? bp_err_prefix(&r->failed, "%s", r->name) : 0;
}

static int try_read(struct reading *r, void *p, size_t n, size_t *got)
{
    ssize_t k;

    *got = 0;
    if (r->ended)
        return r->failed.code;
    if (!r->child)
        BP_TRY(bp_child_start(&r->child, r->text, false, &r->fd, &r->failed));
    do
        k = read(r->fd, p, n);
    while (k < 0 && errno == EINTR);
    if (k < 0)
        return bp_fail_errno(&r->failed, errno, "cannot read what '%s' writes", r->text);
    *got = (size_t)k;
    return k || !n ? 0 : finish(r);
}

static int reading_read(void *self, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct reading *r = self;

    if (try_read(r, p, n, got) < 0)
        *err = r->failed;
    return r->failed.code;
}

static bool reading_rewind(void *self)
{
    struct reading *r = self;

    if (r->failed.code)
        return false;
    stop(r);
    r->ended = false;
    return true;
}

static void reading_free(void *self)
{
    struct reading *r = self;

    stop(r);
    bp_mem_free(r->name);
    bp_mem_free(r->text);
    bp_mem_free(r);
}

static const struct bp_input_ops reading_ops = {
    .read = reading_read, .free = reading_free, .rewind = reading_rewind};

int bp_input_from_command(struct bp_input *in, const char *name, const char *text,
                          struct bp_err *err)
{
    struct reading *r = bp_mem_new(1, sizeof *r, err);

    *in = (struct bp_input){.fd = -1, .size_bytes = -1, .is_named = true};
    if (!r)
        return err->code;
    r->fd = -1;
    r->name = bp_mem_str(name, err);
    r->text = bp_mem_str(text, err);
    in->name = bp_mem_str(name, err);
    in->ops = &reading_ops;
    in->self = r;
    if (!r->name || !r->text || !in->name) {
        bp_input_close(in);
        return err->code;
    }
    return 0;
}

/* ---- writing ---- */

static int far_commit(void *self, struct bp_err *err)
{
    return bp_child_finish(self, err);
}

static void far_abort(void *self)
{
    bp_child_kill(self);
}

/* It may have said yes to what it saw; it has not seen all. */
static int far_why(void *self, struct bp_err *err)
{
    BP_TRY(bp_child_finish(self, err));
    return bp_fail(err, BP_EDATA,
                   "the command ended, with exit status 0, before it had read the whole table");
}

static const struct bp_outfile_far far_ops = {far_commit, far_abort, far_why};

int bp_outfile_command(struct bp_outfile *f, const char *text, struct bp_err *err)
{
    struct bp_child *c;
    int fd;

    memset(f, 0, sizeof *f);
    f->fd = -1;
    BP_TRY(bp_child_start(&c, text, true, &fd, err));
    BP_TRY(bp_outfile_far(f, "the command", fd, &far_ops, c, err));
    f->is_command = true;
    return 0;
}
