/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Arrow file out. Whether its rows are a share of something is known at the
 * end only, and stands in the footer's schema, which is what readers of files
 * read: one share keeps its bp.task, all shares of a division are the whole and
 * lose it.
 */
#include "flow/marks.h"
#include "flow/recut.h"
#include "ipc/writer.h"

struct file_sink {
    struct bp_outfile f;
    struct bp_ipc_writer *w;
    struct bp_recut recut;
    struct bp_share own; /* the schema's bp.task */
    struct bp_shareset shares;
};

static int file_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    struct file_sink *s = self;
    struct bp_batch b;
    int rc = bp_shareset_add(&s->shares, in->share.n ? in->share : s->own, err);

    if (rc < 0) {
        bp_batch_release(in);
        return rc;
    }
    BP_TRY(bp_recut_put(&s->recut, in, err));
    while ((rc = bp_recut_take(&s->recut, &b, err)) == 0) {
        rc = bp_ipc_writer_put(s->w, &b, NULL, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    return rc < 0 ? rc : 0;
}

static int file_commit(void *self, struct bp_err *err)
{
    struct file_sink *s = self;
    struct bp_batch b;
    int rc = 0;

    BP_TRY(bp_mark_judge_shares(&s->w->schema, &s->shares, err));
    BP_TRY(bp_recut_flush(&s->recut, &b, err));
    if (b.n_rows)
        rc = bp_ipc_writer_put(s->w, &b, NULL, err);
    bp_batch_release(&b);
    BP_TRY(rc);
    BP_TRY(bp_ipc_writer_finish(s->w, NULL, 0, err));
    return bp_outfile_commit(&s->f, err);
}

static void file_abort(void *self, const char *reason)
{
    struct file_sink *s = self;

    (void)reason; /* the file never appears */
    bp_outfile_abort(&s->f);
}

static void file_free(void *self)
{
    struct file_sink *s = self;

    bp_ipc_writer_free(s->w);
    bp_recut_release(&s->recut);
    bp_shareset_release(&s->shares);
    bp_outfile_abort(&s->f);
    bp_mem_free(s);
}

static const struct bp_sink_ops file_ops = {
    .put = file_put, .commit = file_commit, .abort = file_abort, .free = file_free};

static int open_writer(struct file_sink *s, const struct bp_schema *given, struct bp_err *err)
{
    struct bp_schema schema;
    int rc;

    BP_TRY(bp_schema_copy(&schema, given, err));
    BP_GO(bp_schema_set_meta(&schema, BP_MARK_VERSION, "1", err));
    for (int i = 0; i < schema.n_fields; i++) /* a file cannot replace a dictionary */
        if (schema.fields[i].dict == BP_DICT_GROWING)
            schema.fields[i].dict = BP_DICT_NONE;
    BP_GO(bp_recut_init(&s->recut, &schema, err));
    rc = bp_ipc_writer_open(&s->w, &s->f, true, &schema, err);
out:
    bp_schema_release(&schema);
    return rc;
}

int bp_ipc_file_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                     struct bp_err *err)
{
    struct file_sink *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    *out = (struct bp_sink){0};
    if (!s) {
        bp_outfile_abort(f);
        return err->code;
    }
    s->f = *f;
    *f = (struct bp_outfile){.fd = -1, .guard = -1};
    BP_GO(bp_mark_task(schema, &s->own, err));
    BP_GO(open_writer(s, schema, err));
    out->name = bp_mem_str(s->f.path, err);
    if (!out->name) {
        rc = err->code;
        goto out;
    }
    out->ops = &file_ops;
    out->self = s;
    return 0;
out:
    file_free(s);
    return rc;
}
