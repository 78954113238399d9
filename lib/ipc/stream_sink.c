/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream out: batches cut by the rule, the trailer and the end mark by commit
 * only. The schema goes out with the first batch, because only that tells whose
 * share this is; when the share changes the stream ends and another begins.
 */
#include "flow/ledger.h"
#include "flow/marks.h"
#include "flow/recut.h"
#include "ipc/writer.h"

struct stream_sink {
    struct bp_outfile f;
    struct bp_schema schema; /* as given */
    struct bp_share own;     /* the schema's bp.task: for a stream without any batch */
    struct bp_share share;   /* of the stream being written */
    struct bp_ipc_writer *w; /* NULL: none is open */
    struct bp_ipc_handover handover;
    struct bp_recut recut;
    struct bp_ledger *ledger; /* not ours; may be NULL */
};

static bool same_share(struct bp_share a, struct bp_share b)
{
    return a.n == b.n && (a.n == 0 || a.i == b.i);
}

/* A share that is not the schema's own: of its range of partitions only that it
 * is within all of them is known. */
static int widen_parted(struct bp_schema *s, struct bp_err *err)
{
    struct bp_parted p = {0};
    bool present;
    int rc;

    BP_GO(bp_mark_parted(s, &present, &p, err));
    if (present) {
        p.first = 0;
        p.last = p.parts - 1;
        BP_GO(bp_mark_set_parted(s, &p, err));
    }
out:
    bp_parted_release(&p);
    return rc;
}

static int set_ledger(const struct stream_sink *s, struct bp_schema *schema, struct bp_share share,
                      struct bp_err *err)
{
    struct bp_buf b = {0};
    int rc = 0;

    if (!s->ledger)
        return 0;
    if (share.n) {
        BP_GO(bp_ledger_write(s->ledger, &b, err));
        BP_GO(bp_buf_str(&b, err) ? 0 : err->code);
    }
    rc = bp_schema_set_meta(schema, BP_MARK_LEDGER, share.n ? (const char *)b.data : NULL, err);
out:
    bp_buf_release(&b);
    return rc;
}

static int open_writer(struct stream_sink *s, struct bp_share share, struct bp_err *err)
{
    struct bp_schema schema;
    int rc;

    BP_TRY(bp_schema_copy(&schema, &s->schema, err));
    BP_GO(bp_schema_set_meta(&schema, BP_MARK_VERSION, "1", err));
    if (!same_share(share, s->own)) {
        BP_GO(bp_mark_set_task(&schema, share, err));
        BP_GO(widen_parted(&schema, err));
    }
    BP_GO(set_ledger(s, &schema, share, err));
    BP_GO(bp_ipc_writer_open(&s->w, &s->f, false, &schema, err));
    s->w->handover = &s->handover;
    s->share = share;
    rc = bp_ipc_writer_begin(s->w, err);
out:
    bp_schema_release(&schema);
    return rc;
}

/* Writes what is left and ends the stream. */
static int end_stream(struct stream_sink *s, struct bp_err *err)
{
    struct bp_batch b;
    int rc = 0;

    BP_TRY(bp_recut_flush(&s->recut, &b, err));
    if (b.n_rows)
        rc = bp_ipc_writer_put(s->w, &b, NULL, err);
    bp_batch_release(&b);
    BP_TRY(rc);
    BP_TRY(bp_ipc_writer_finish(s->w, NULL, 0, err));
    bp_ipc_writer_free(s->w);
    s->w = NULL;
    return 0;
}

static int need_stream(struct stream_sink *s, struct bp_share share, struct bp_err *err)
{
    if (s->w && same_share(s->share, share))
        return 0;
    if (s->w)
        BP_TRY(end_stream(s, err));
    return open_writer(s, share, err);
}

static int stream_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    struct stream_sink *s = self;
    struct bp_batch b;
    int rc = need_stream(s, in->share, err);

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

static int stream_commit(void *self, struct bp_err *err)
{
    struct stream_sink *s = self;

    if (!s->w)
        BP_TRY(open_writer(s, s->own, err));
    BP_TRY(end_stream(s, err));
    return bp_outfile_commit(&s->f, err);
}

static void stream_abort(void *self, const char *reason)
{
    struct stream_sink *s = self;
    struct bp_err err = {0};

    /* whoever reads must see the reason even where no schema went before it */
    if (!s->f.tmp_path && s->f.fd >= 0) {
        if (s->w)
            bp_ipc_writer_abort_mark(s->w, reason);
        else if (bp_ipc_writer_open(&s->w, &s->f, false, &s->schema, &err) == 0)
            bp_ipc_writer_abort_mark(s->w, reason);
    }
    bp_outfile_abort(&s->f);
}

static void stream_free(void *self)
{
    struct stream_sink *s = self;

    bp_ipc_writer_free(s->w);
    bp_ipc_handover_release(&s->handover);
    bp_recut_release(&s->recut);
    bp_schema_release(&s->schema);
    bp_outfile_abort(&s->f);
    bp_mem_free(s);
}

static const struct bp_sink_ops stream_ops = {
    .put = stream_put, .commit = stream_commit, .abort = stream_abort, .free = stream_free};

void bp_ipc_stream_sink_ledger(struct bp_sink *sink, struct bp_ledger *l)
{
    struct stream_sink *s = sink->self;

    s->ledger = l;
}

static void take_outfile(struct bp_outfile *dst, struct bp_outfile *src)
{
    *dst = *src;
    *src = (struct bp_outfile){.fd = -1, .guard = -1};
}

int bp_ipc_stream_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                       struct bp_err *err)
{
    struct stream_sink *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    *out = (struct bp_sink){0};
    if (!s) {
        bp_outfile_abort(f);
        return err->code;
    }
    take_outfile(&s->f, f);
    BP_GO(bp_schema_copy(&s->schema, schema, err));
    BP_GO(bp_mark_task(schema, &s->own, err));
    BP_GO(bp_recut_init(&s->recut, schema, err));
    out->name = bp_mem_str(s->f.path, err);
    if (!out->name) {
        rc = err->code;
        goto out;
    }
    out->ops = &stream_ops;
    out->self = s;
    return 0;
out:
    stream_free(s);
    return rc;
}
