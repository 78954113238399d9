/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/spill.h"

#include <errno.h>
#include <string.h>

#include "ipc/ipc.h"
#include "stage/narrowed.h"

struct stream {
    int64_t from, to; /* bytes of the file */
};

struct bp_spill {
    struct bp_tempfile f;
    struct bp_outfile out; /* the same descriptor, for the writer */
    struct bp_schema schema;
    struct bp_ctx *ctx;
    struct stream *streams;
    int n_streams, cap_streams;
    struct bp_ipc_writer *w; /* of the stream being written, or NULL */
    struct bp_spill_run run; /* the one being written */
    bool in_run;
    uint8_t *widths;    /* [n_fields]: of its stream; between runs, what the last one needed */
    uint8_t *needs;     /* [n_fields]: of its batches */
    int64_t live_bytes; /* written and not discarded */
};

static int bare_schema(struct bp_schema *out, const struct bp_schema *from, struct bp_err *err)
{
    for (int i = 0; i < from->n_fields; i++)
        BP_TRY(bp_schema_add(out, from->fields[i].name, from->fields[i].type, err));
    return 0;
}

int bp_spill_open(struct bp_spill **out, const struct bp_schema *schema, struct bp_ctx *ctx,
                  struct bp_err *err)
{
    struct bp_spill *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    if (!s)
        return err->code;
    s->ctx = ctx;
    s->f.fd = s->out.fd = s->out.guard = -1;
    s->widths = bp_mem_new((size_t)schema->n_fields + 1, 1, err);
    s->needs = s->widths ? bp_mem_new((size_t)schema->n_fields + 1, 1, err) : NULL;
    if (!s->needs) {
        rc = err->code;
        goto out;
    }
    BP_GO(bare_schema(&s->schema, schema, err));
    BP_GO(bp_tempfile_open(&s->f, err));
    BP_GO(bp_outfile_borrow(&s->out, s->f.fd, s->f.dir, err));
    *out = s;
    return 0;
out:
    bp_spill_free(s);
    return rc;
}

void bp_spill_free(struct bp_spill *s)
{
    if (!s)
        return;
    bp_ipc_writer_free(s->w);
    bp_outfile_abort(&s->out); /* borrowed: the descriptor stays */
    bp_tempfile_close(&s->f);
    bp_schema_release(&s->schema);
    bp_mem_free(s->streams);
    bp_mem_free(s->widths);
    bp_mem_free(s->needs);
    bp_mem_free(s);
}

int bp_spill_failed(const struct bp_tempfile *f, int64_t there_bytes, int64_t need_bytes,
                    struct bp_err *err)
{
    int why = err->sys_errno;
    int64_t left = bp_tempfile_free_bytes(f);

    if (err->code != BP_ESYS)
        return err->code;
    bp_err_clear(err);
    if (why != ENOSPC && why != EDQUOT && why != EFBIG)
        return bp_fail_errno(err, why, "cannot write the temporary file in '%s'", f->dir);
    return bp_fail_errno(err, why,
                         "no room in '%s' for what does not fit into memory: %lld MiB are there, "
                         "%lld more bytes were needed, %lld MiB are free; set TMPDIR to a larger "
                         "directory, or give more memory (--mem)",
                         f->dir, (long long)(there_bytes >> 20), (long long)need_bytes,
                         (long long)(left >> 20));
}

static int full(const struct bp_spill *s, int64_t need_bytes, struct bp_err *err)
{
    return bp_spill_failed(&s->f, s->live_bytes, need_bytes, err);
}

static void count_bytes(struct bp_spill *s)
{
    int64_t more = s->out.pos_bytes - s->run.to;

    s->run.to = s->out.pos_bytes;
    s->live_bytes += more;
    atomic_fetch_add(&s->ctx->spilled_bytes, more);
}

static void begin_run(struct bp_spill *s)
{
    if (s->in_run)
        return;
    s->run = (struct bp_spill_run){
        .from = s->out.pos_bytes, .to = s->out.pos_bytes, .first = s->n_streams};
    memset(s->needs, 0, (size_t)s->schema.n_fields);
    s->in_run = true;
}

static int begin_stream(struct bp_spill *s, struct bp_err *err)
{
    struct bp_schema schema = {0};
    int rc;

    if (s->n_streams == s->cap_streams) {
        int want = s->cap_streams ? s->cap_streams * 2 : 16;
        struct stream *bigger = bp_mem_grow(s->streams, (size_t)want, sizeof *bigger, err);

        if (!bigger)
            return err->code;
        s->streams = bigger;
        s->cap_streams = want;
    }
    s->streams[s->n_streams].from = s->out.pos_bytes;
    rc = bp_narrowed_schema(&schema, &s->schema, s->widths, err);
    if (rc == 0)
        rc = bp_ipc_writer_open(&s->w, &s->out, false, &schema, err);
    bp_schema_release(&schema);
    return rc;
}

static int end_stream(struct bp_spill *s, struct bp_err *err)
{
    if (bp_ipc_writer_finish(s->w, NULL, 0, err) < 0)
        return full(s, 1024, err);
    count_bytes(s);
    s->streams[s->n_streams++].to = s->out.pos_bytes;
    s->run.n_streams++;
    bp_ipc_writer_free(s->w);
    s->w = NULL;
    return 0;
}

/* A stream that the batch fits into. */
static int fit(struct bp_spill *s, const struct bp_batch *in, struct bp_err *err)
{
    bool grown = false;

    bp_narrowed_widths(in, s->needs);
    for (int i = 0; i < in->n_cols; i++)
        if (s->needs[i] > s->widths[i]) {
            s->widths[i] = s->needs[i];
            grown = true;
        }
    if (grown && s->w)
        BP_TRY(end_stream(s, err));
    return s->w ? 0 : begin_stream(s, err);
}

/* Of the values when they have come back: dictionaries do not. */
static int64_t plain_bytes(const struct bp_batch *in)
{
    int64_t sum = bp_batch_size_bytes(in);

    for (int c = 0; c < in->n_cols; c++)
        if (in->cols[c].dict)
            sum += bp_column_text_bytes(&in->cols[c]);
    return sum;
}

int bp_spill_put(struct bp_spill *s, const struct bp_batch *in, struct bp_err *err)
{
    int64_t bytes = plain_bytes(in);
    struct bp_batch narrow;
    int rc;

    begin_run(s);
    if (in->n_rows == 0)
        return 0;
    BP_TRY(fit(s, in, err));
    BP_TRY(bp_narrowed_batch(&narrow, in, s->widths, err));
    rc = bp_ipc_writer_put(s->w, &narrow, NULL, err);
    bp_batch_release(&narrow);
    if (rc < 0)
        return full(s, bytes, err);
    s->run.n_rows += in->n_rows;
    s->run.value_bytes += bytes;
    s->run.batch_bytes = BP_MAX(s->run.batch_bytes, bytes);
    count_bytes(s);
    return 0;
}

int bp_spill_end(struct bp_spill *s, struct bp_spill_run *run, struct bp_err *err)
{
    begin_run(s);
    if (s->w)
        BP_TRY(end_stream(s, err));
    memcpy(s->widths, s->needs, (size_t)s->schema.n_fields);
    s->in_run = false;
    *run = s->run;
    return 0;
}

/* ---- reading ---- */

struct spilled {
    const struct bp_spill *spill;
    int n_streams, n_opened;
    int64_t n_rows;      /* given so far */
    struct bp_source in; /* the stream being read, or zeroed */
    struct stream streams[];
};

static int open_next(struct spilled *r, struct bp_err *err)
{
    const struct stream *from = &r->streams[r->n_opened];
    struct bp_input in;

    BP_TRY(bp_tempfile_input(&in, &r->spill->f, from->from, from->to, err));
    BP_TRY(bp_ipc_stream_source(&r->in, &in, NULL, err));
    r->n_opened++;
    return 0;
}

static int spilled_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct spilled *r = self;
    int rc = BP_DONE;

    while (rc == BP_DONE) {
        if (!r->in.ops) {
            if (r->n_opened == r->n_streams)
                return BP_DONE;
            BP_TRY(open_next(r, err));
        }
        rc = bp_source_next(&r->in, out, err);
        if (rc == BP_DONE)
            bp_source_free(&r->in);
    }
    BP_TRY(rc);
    out->first_row = r->n_rows;
    r->n_rows += out->n_rows;
    rc = bp_narrowed_back(out, &r->spill->schema, err);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

static void spilled_free(void *self)
{
    struct spilled *r = self;

    bp_source_free(&r->in);
    bp_mem_free(r);
}

int bp_spill_source(struct bp_source *out, const struct bp_spill *s, const struct bp_spill_run *run,
                    struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = spilled_next, .free = spilled_free};
    struct spilled *r;

    *out = (struct bp_source){0};
    r = bp_mem_new(1, sizeof *r + (size_t)run->n_streams * sizeof(struct stream), err);
    if (!r)
        return err->code;
    r->spill = s;
    r->n_streams = run->n_streams;
    for (int i = 0; i < run->n_streams; i++) {
        r->streams[i] = s->streams[run->first + i];
        r->streams[i].to = BP_MIN(r->streams[i].to, run->to);
    }
    out->ops = &ops;
    out->self = r;
    return bp_schema_copy(&out->schema, &s->schema, err);
}

void bp_spill_discard(struct bp_spill *s, const struct bp_spill_run *run)
{
    bp_tempfile_discard(&s->f, run->from, run->to);
    s->live_bytes -= run->to - run->from;
}
