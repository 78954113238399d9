/* SPDX-License-Identifier: Apache-2.0 */
/* The batches of an Arrow file, all or one task's share, front to back. */
#include <string.h>

#include "flow/marks.h"
#include "ipc/file_read.h"

struct file_source {
    struct bp_ipc_file *f;
    int *columns; /* NULL: all */
    int n_columns;
    struct bp_schema shown;
    struct bp_share share;
    bool share_due;
    int begin, next, end; /* batches */
    int64_t n_rows;
    struct bp_ipc_slicer slicer;
};

static void file_free(void *self)
{
    struct file_source *s = self;

    bp_ipc_file_free(s->f);
    bp_mem_free(s->columns);
    bp_schema_release(&s->shown);
    bp_batch_release(&s->slicer.batch);
    bp_mem_free(s);
}

/* All batches were read: their rows must be what the footer counts. */
static int check_rows(const struct file_source *s, struct bp_err *err)
{
    const char *rows = bp_ipc_file_meta(s->f, BP_META_ROWS);
    int64_t n;

    if (!rows || s->end - s->begin != (int)s->f->blocks.n) /* a part cannot be judged */
        return BP_DONE;
    if (!bp_ipc_count_parse(rows, strlen(rows), &n) || n != s->n_rows)
        return bp_fail(err, BP_EDATA,
                       "%s: the footer does not add up: it counts %.20s rows, there "
                       "are %lld",
                       s->f->in.name, rows, (long long)s->n_rows);
    return BP_DONE;
}

static int file_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct file_source *s = self;
    struct bp_batch *b = &s->slicer.batch;
    int rc;

    for (;;) {
        if (s->share_due) {
            s->share_due = false;
            return bp_ipc_share_batch(out, &s->shown, s->share, err);
        }
        rc = bp_ipc_slicer_next(&s->slicer, out, err);
        if (rc != BP_DONE)
            return rc;
        if (s->next == s->end)
            return check_rows(s, err);
        BP_TRY(bp_ipc_file_read_columns(s->f, s->next++, NULL, s->columns, s->n_columns, b, err));
        b->first_row = s->n_rows;
        b->share = s->share;
        s->n_rows += b->n_rows;
    }
}

static int set_columns(struct file_source *s, const int *columns, int n, struct bp_err *err)
{
    int *copy;

    for (int i = 0; i < n; i++)
        if (columns[i] < 0 || columns[i] >= s->f->schema.n_fields)
            return bp_fail(err, BP_EUSAGE, "there is no column number %d", columns[i]);
    copy = bp_mem_new((size_t)n, sizeof *copy, err);
    if (!copy)
        return err->code;
    memcpy(copy, columns, (size_t)n * sizeof *copy);
    bp_mem_free(s->columns);
    s->columns = copy;
    s->n_columns = n;
    bp_schema_release(&s->shown);
    return bp_ipc_project(&s->shown, &s->f->schema, copy, n, err);
}

/* cols are numbers of what is shown now. */
static int file_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct file_source *s = self;
    int *of_file = bp_mem_new((size_t)n, sizeof *of_file, err);
    int rc;

    if (!of_file)
        return err->code;
    for (int i = 0; i < n; i++)
        of_file[i] = s->columns ? s->columns[cols[i]] : cols[i];
    rc = set_columns(s, of_file, n, err);
    bp_mem_free(of_file);
    return rc;
}

static const struct bp_source_ops file_ops = {
    .next = file_next, .free = file_free, .project = file_project};

/* Which batches, and whose rows they are. */
static int take_share(struct file_source *s, const struct bp_ipc_opts *o, struct bp_err *err)
{
    int64_t n = bp_ipc_file_n_batches(s->f);

    s->end = (int)n;
    BP_TRY(bp_mark_task(&s->f->schema, &s->share, err));
    if (o->unite)
        s->share = (struct bp_share){0, 0};
    if (o->n_tasks > 0) {
        if (s->share.n)
            return bp_fail(err, BP_EDATA,
                           "%s: it is share %d of %d already, and cannot be cut "
                           "into shares again",
                           s->f->in.name, s->share.i, s->share.n);
        if (o->task < 0 || o->task >= o->n_tasks)
            return bp_fail(err, BP_EUSAGE, "there is no task %d of %d", o->task, o->n_tasks);
        s->share = (struct bp_share){o->task, o->n_tasks};
        s->begin = s->next = (int)(n * o->task / o->n_tasks);
        s->end = (int)(n * (o->task + 1) / o->n_tasks);
        if (o->some_batches) {
            s->begin = s->next = (int)BP_MIN(o->first_batch, n);
            s->end = (int)BP_MIN((int64_t)s->begin + o->n_batches, n);
        }
    }
    /* cut or united otherwise than by its keys: they promise nothing any more */
    if (o->unite || o->n_tasks > 0)
        BP_TRY(bp_schema_set_meta(&s->f->schema, BP_MARK_PARTED, NULL, err));
    s->share_due = s->share.n > 0;
    return bp_mark_set_task(&s->f->schema, s->share, err);
}

static int show(struct bp_source *out, struct file_source *s, const struct bp_ipc_opts *o,
                struct bp_err *err)
{
    BP_TRY(take_share(s, o, err));
    if (o->columns)
        BP_TRY(set_columns(s, o->columns, o->n_columns, err));
    else
        BP_TRY(bp_schema_copy(&s->shown, &s->f->schema, err));
    BP_TRY(bp_schema_copy(&out->schema, &s->shown, err));
    out->name = bp_mem_str(s->f->in.name, err);
    return out->name ? 0 : err->code;
}

int bp_ipc_file_source(struct bp_source *out, struct bp_input *in, const struct bp_ipc_opts *opts,
                       struct bp_err *err)
{
    static const struct bp_ipc_opts none;
    struct file_source *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    *out = (struct bp_source){0};
    if (!s) {
        bp_input_close(in);
        return err->code;
    }
    BP_GO(bp_ipc_file_open(&s->f, in, err));
    BP_GO(show(out, s, opts ? opts : &none, err));
    out->ops = &file_ops;
    out->self = s;
    return 0;
out:
    bp_schema_release(&out->schema);
    bp_mem_free(out->name);
    *out = (struct bp_source){0};
    file_free(s);
    return rc;
}
