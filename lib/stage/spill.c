/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/spill.h"

#include <errno.h>
#include <string.h>

#include "ipc/ipc.h"

struct bp_spill {
    struct bp_tempfile f;
    struct bp_outfile out; /* the same descriptor, for the writer */
    struct bp_schema schema;
    struct bp_ctx *ctx;
    struct bp_ipc_writer *w; /* of the run being written, or NULL */
    struct bp_spill_run run;
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

static int begin(struct bp_spill *s, struct bp_err *err)
{
    if (s->w)
        return 0;
    s->run = (struct bp_spill_run){.from = s->out.pos_bytes, .to = s->out.pos_bytes};
    return bp_ipc_writer_open(&s->w, &s->out, false, &s->schema, err);
}

int bp_spill_put(struct bp_spill *s, const struct bp_batch *in, struct bp_err *err)
{
    int64_t bytes = bp_batch_size_bytes(in);

    BP_TRY(begin(s, err));
    if (in->n_rows == 0)
        return 0;
    if (bp_ipc_writer_put(s->w, in, NULL, err) < 0)
        return full(s, bytes, err);
    s->run.n_rows += in->n_rows;
    s->run.batch_bytes = BP_MAX(s->run.batch_bytes, bytes);
    count_bytes(s);
    return 0;
}

int bp_spill_end(struct bp_spill *s, struct bp_spill_run *run, struct bp_err *err)
{
    BP_TRY(begin(s, err));
    if (bp_ipc_writer_finish(s->w, NULL, 0, err) < 0)
        return full(s, 1024, err);
    count_bytes(s);
    bp_ipc_writer_free(s->w);
    s->w = NULL;
    *run = s->run;
    return 0;
}

int bp_spill_source(struct bp_source *out, const struct bp_spill *s, const struct bp_spill_run *run,
                    struct bp_err *err)
{
    struct bp_input in;

    *out = (struct bp_source){0};
    BP_TRY(bp_tempfile_input(&in, &s->f, run->from, run->to, err));
    return bp_ipc_stream_source(out, &in, NULL, err);
}

void bp_spill_discard(struct bp_spill *s, const struct bp_spill_run *run)
{
    bp_tempfile_discard(&s->f, run->from, run->to);
    s->live_bytes -= run->to - run->from;
}
