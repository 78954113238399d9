/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Parquet file out. Batches are cut by the batch rule (recut.h), so that the file
 * depends on the rows alone, and their columns encoded and compressed by threads (encoder.h),
 * some batches at a time. Encoded pages wait until their row group is complete, on disk where the
 * budget has no room for them. Where it has none for the columns' dictionaries side by side, the
 * rest of the row group's rows wait there (late.h).
 */
#include <string.h>

#include "col/text_size.h"
#include "flow/marks.h"
#include "flow/recut.h"
#include "fmt/parquet/encoder.h"
#include "fmt/parquet/late.h"
#include "fmt/parquet/parquet.h"

/* Encoded pages of a row group are held until it ends: more rows cost memory, and files of real
 * tables become no smaller by them (0.1 % where there are twice as many). DuckDB has about as many.
 */
#define GROUP_ROWS ((int64_t)1 << 17)
#define GROUP_BYTES                                                                                \
    ((int64_t)256 << 20) /* of values: a row group ends with the batch that has them */
/* Of batches on their way: two that the rule has cut, and another's rows. */
#define FLYING_BYTES ((int64_t)5 << 19)
#define PIECE_TEXT_BYTES ((int64_t)1 << 20)
#define PIECE_STEP_ROWS 256
#define BATCH_BYTES ((int64_t)1 << 20) /* one on its way and one that comes, at least */
/* One column with its dictionary and pages while they are encoded: what is needed at least. What
 * all keep besides, of facts. */
#define WRITER_BYTES ((int64_t)4 << 20)
#define COLUMN_BYTES ((int64_t)4 << 10)
/* A part of the memory are the columns when they are encoded side by side; as much the pages. */
#define SHARE 6

struct pq_sink {
    struct bp_outfile f;
    struct bp_schema schema;
    struct bp_recut recut;
    struct bp_share own;
    struct bp_shareset shares;
    int64_t group_rows;
    int64_t flying_bytes; /* fewer where memory is little: the pages are the same */
    int64_t told_bytes;   /* what the budget was told that this needs */

    struct bp_pq_leaves leaves;
    struct bp_pq_footer footer;
    struct bp_pq_encoder encoder;
    struct bp_ctx *ctx;
    struct bp_pq_store store;
    int64_t taken_bytes;     /* of the budget, for encoded pages */
    int64_t filter_bytes;    /* the same, for Bloom filters */
    int64_t n_rows, n_bytes; /* of the row group so far */
    struct bp_pq_late late;
    bool is_late; /* this row group */
};

/* ---- memory ---- */

static void give_back(struct pq_sink *s)
{
    bp_budget_give(&s->ctx->budget, s->taken_bytes);
    s->taken_bytes = 0;
}

/* Nothing is on its way. */
static int move_out(struct pq_sink *s, struct bp_err *err)
{
    for (int i = 0; i < s->leaves.n; i++)
        BP_TRY(bp_pq_store_pages(&s->store, i, &s->encoder.writers[i].chunk, s->ctx, err));
    bp_pq_encoder_measure(&s->encoder);
    give_back(s);
    return 0;
}

/* A part of the memory, of which there may be no end. */
static int64_t share_of(const struct pq_sink *s)
{
    int64_t limit = s->ctx->budget.limit_bytes;

    return limit ? limit / SHARE : INT64_MAX;
}

/* Asks for the memory of the encoded pages. */
static bool may_hold_pages(struct pq_sink *s)
{
    int64_t n = bp_pq_encoder_pages_bytes(&s->encoder);

    if (n > share_of(s))
        return false;
    if (n > s->taken_bytes && !bp_budget_take(&s->ctx->budget, n - s->taken_bytes))
        return false;
    s->taken_bytes = BP_MAX(n, s->taken_bytes);
    return true;
}

/* The columns take more than they may. */
static bool is_too_much(const struct pq_sink *s)
{
    return bp_pq_encoder_state_bytes(&s->encoder) > share_of(s);
}

/* ---- a row group ---- */

static int write_group(struct pq_sink *s, struct bp_pq_flight *f, struct bp_err *err)
{
    BP_TRY(bp_pq_footer_begin(&s->footer, f->group_rows, err));
    for (int i = 0; i < s->leaves.n; i++)
        BP_TRY(bp_pq_footer_column(&s->footer, i, &s->f, &f->chunks[i], &s->store, err));
    bp_pq_store_clear(&s->store);
    give_back(s);
    return bp_pq_footer_end(&s->footer, &s->f, s->ctx, err);
}

/* The oldest batch on its way, if there is one. */
static int take_batch(struct pq_sink *s, bool *any, struct bp_err *err)
{
    struct bp_pq_flight *f;
    int rc = 0;

    if (bp_pq_encoder_take(&s->encoder, &f, err) < 0)
        return bp_err_prefix(err, "%s", s->f.path);
    *any = f != NULL;
    if (f && f->last)
        rc = write_group(s, f, err);
    if (f)
        bp_pq_encoder_rest(&s->encoder, f);
    return rc;
}

static int take_all(struct pq_sink *s, struct bp_err *err)
{
    bool any = true;

    while (any)
        BP_TRY(take_batch(s, &any, err));
    return 0;
}

/* From here to its end the rows of the group wait on disk. Nothing is on its way. */
static int turn_late(struct pq_sink *s, struct bp_err *err)
{
    s->is_late = true;
    BP_TRY(move_out(s, err));
    for (int i = 0; i < s->encoder.n_scratch; i++)
        bp_pq_write_scratch_release(&s->encoder.scratch[i]);
    return bp_pq_late_begin(&s->late, err);
}

/* Memory as the batches that were taken have left it. */
static int keep_to_memory(struct pq_sink *s, struct bp_err *err)
{
    if (may_hold_pages(s) && !is_too_much(s))
        return 0;
    BP_TRY(take_all(s, err));
    if (!may_hold_pages(s))
        BP_TRY(move_out(s, err));
    return is_too_much(s) ? turn_late(s, err) : 0;
}

/* b, which is emptied, to the threads. */
static int encode(struct pq_sink *s, struct bp_batch *b, int64_t bytes, bool last,
                  struct bp_err *err)
{
    bool any;

    while (!bp_pq_encoder_has_room(&s->encoder, bytes, s->flying_bytes))
        BP_TRY(take_batch(s, &any, err));
    bp_pq_encoder_give(&s->encoder, b, bytes, s->n_rows, last);
    return s->flying_bytes < BATCH_BYTES ? take_all(s, err) : 0;
}

static int end_late(struct pq_sink *s, struct bp_err *err)
{
    s->is_late = false;
    BP_TRY(bp_pq_late_end(&s->late, &s->footer, s->n_rows, &s->f, err));
    bp_pq_encoder_measure(&s->encoder);
    return 0;
}

/* ---- gathering ---- */

/* b, which is emptied. */
static int add_piece(struct pq_sink *s, struct bp_batch *b, struct bp_err *err)
{
    int64_t bytes = bp_batch_size_bytes(b);
    bool last;
    int rc;

    if (!s->is_late)
        BP_TRY(keep_to_memory(s, err));
    s->n_rows += b->n_rows;
    s->n_bytes += bytes;
    last = s->n_rows == s->group_rows || s->n_bytes >= GROUP_BYTES;
    if (s->is_late) {
        rc = bp_pq_late_put(&s->late, b, err);
        bp_batch_release(b);
        if (rc == 0 && last)
            rc = end_late(s, err);
    } else {
        rc = encode(s, b, bytes + bp_batch_dict_bytes(b, bp_pq_encoder_last(&s->encoder)), last,
                    err);
    }
    if (last)
        s->n_rows = s->n_bytes = 0;
    return rc;
}

/* Bytes of the texts of rows [from, to) if they are written out. */
static int64_t text_bytes(const struct bp_column *c, int64_t from, int64_t to)
{
    const int32_t *codes = c->data, *off = c->dict->values.data;
    int64_t sum = 0;

    for (int64_t i = from; i < to; i++)
        sum += off[codes[i] + 1] - off[codes[i]];
    return sum;
}

/* A batch of codes is of much more text sometimes, and a column without a dictionary in the
 * file has it all: rows until a column has a page of it. */
static int64_t rows_of_text(const struct bp_batch *b)
{
    int64_t rows = b->n_rows;

    for (int i = 0; i < b->n_cols; i++) {
        const struct bp_column *c = &b->cols[i], *v = c->dict ? &c->dict->values : NULL;
        int64_t sum = 0, to = 0;

        if (!v || !v->n_rows || bp_text_longest(v->data, v->n_rows) * rows < PIECE_TEXT_BYTES)
            continue;
        for (int64_t from = 0; from < rows && sum < PIECE_TEXT_BYTES; from = to) {
            to = BP_MIN(from + PIECE_STEP_ROWS, rows);
            sum += text_bytes(c, from, to);
        }
        rows = to;
    }
    return rows;
}

/* b, which is emptied, as a whole or cut: at the end of the row group, too. */
static int gather(struct pq_sink *s, struct bp_batch *b, struct bp_err *err)
{
    while (b->n_rows) {
        int64_t rows = BP_MIN(s->group_rows - s->n_rows, rows_of_text(b));
        struct bp_batch piece = {0}, rest = {0};

        if (b->n_rows <= rows)
            return add_piece(s, b, err);
        BP_TRY(bp_batch_slice(&piece, b, 0, rows, err));
        if (bp_batch_slice(&rest, b, rows, b->n_rows - rows, err) < 0) {
            bp_batch_release(&piece);
            return err->code;
        }
        bp_batch_release(b);
        bp_batch_move(b, &rest);
        BP_TRY(add_piece(s, &piece, err));
    }
    return 0;
}

static int pq_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    struct pq_sink *s = self;
    struct bp_batch b;
    int rc = bp_shareset_add(&s->shares, in->share.n ? in->share : s->own, err);

    if (rc < 0) {
        bp_batch_release(in);
        return rc;
    }
    BP_TRY(bp_recut_put(&s->recut, in, err));
    while ((rc = bp_recut_take(&s->recut, &b, err)) == 0) {
        rc = gather(s, &b, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    return rc < 0 ? rc : 0;
}

static int pq_commit(void *self, struct bp_err *err)
{
    struct pq_sink *s = self;
    struct bp_batch b;
    int rc;

    BP_TRY(bp_mark_judge_shares(&s->schema, &s->shares, err));
    BP_TRY(bp_recut_flush(&s->recut, &b, err));
    rc = gather(s, &b, err);
    bp_batch_release(&b);
    BP_TRY(rc);
    if (s->n_rows && !s->is_late)
        BP_TRY(encode(s, NULL, 0, true, err));
    BP_TRY(take_all(s, err));
    if (s->n_rows && s->is_late)
        BP_TRY(end_late(s, err));
    BP_TRY(bp_pq_footer_write(&s->footer, &s->f, err));
    return bp_outfile_commit(&s->f, err);
}

/* ---- the sink ---- */

static void pq_abort(void *self, const char *reason)
{
    struct pq_sink *s = self;

    (void)reason; /* the file never appears */
    bp_outfile_abort(&s->f);
}

static void pq_free(void *self)
{
    struct pq_sink *s = self;

    bp_pq_encoder_release(&s->encoder);
    bp_pq_late_release(&s->late);
    bp_pq_store_release(&s->store);
    if (s->ctx) {
        give_back(s);
        bp_budget_give(&s->ctx->budget, s->filter_bytes);
        bp_budget_least(&s->ctx->budget, -s->told_bytes);
    }
    if (s->footer.schema)
        bp_pq_footer_release(&s->footer);
    bp_pq_leaves_release(&s->leaves);
    bp_recut_release(&s->recut);
    bp_shareset_release(&s->shares);
    bp_outfile_abort(&s->f);
    bp_schema_release(&s->schema);
    bp_mem_free(s);
}

static const struct bp_sink_ops pq_ops = {
    .put = pq_put, .commit = pq_commit, .abort = pq_abort, .free = pq_free};

/* They are made while the row group is, so in memory. */
static int add_filters(struct pq_sink *s, const struct bp_parquet_out_opts *o, struct bp_err *err)
{
    int64_t bytes;

    for (int i = 0, col; o->bloom && o->bloom[i]; i++) {
        struct bp_pq_writer *w;

        BP_TRY(bp_schema_index(&s->schema, o->bloom[i], &col, err));
        w = &s->encoder.writers[bp_pq_leaves_of(&s->leaves, col)];
        if (w->layout.physical == BP_PQ_BOOLEAN || w->leaf->nested)
            return bp_fail(
                err, BP_EUSAGE, "--bloom: column %s is %s, of which a filter tells nothing",
                s->schema.fields[col].name, w->leaf->nested ? "a list or struct" : "boolean");
        bp_pq_writer_filter(w, s->group_rows);
        s->filter_bytes += bp_pq_bloom_bytes(&w->bloom);
    }
    if (!s->filter_bytes || bp_budget_take(&s->ctx->budget, s->filter_bytes))
        return 0;
    bytes = s->filter_bytes;
    s->filter_bytes = 0;
    return bp_fail(
        err, BP_EUSAGE,
        "--bloom takes %lld MiB for row groups of %lld rows, more than --mem leaves: fewer "
        "columns, or --row-group-rows",
        (long long)(bytes >> 20) + 1, (long long)s->group_rows);
}

static int open_sink(struct pq_sink *s, const struct bp_schema *schema,
                     const struct bp_parquet_out_opts *o, struct bp_ctx *ctx, struct bp_err *err)
{
    if (schema->n_fields == 0)
        return bp_fail(err, BP_EUSAGE, "a Parquet file has at least one column");
    s->ctx = ctx;
    BP_TRY(bp_schema_copy(&s->schema, schema, err));
    BP_TRY(bp_mark_task(&s->schema, &s->own, err));
    BP_TRY(bp_recut_init(&s->recut, &s->schema, err));
    BP_TRY(bp_pq_leaves_list(&s->leaves, &s->schema, err));
    BP_TRY(bp_pq_footer_open(&s->footer, &s->schema, &s->leaves, o, err));
    s->group_rows = o->group_rows ? o->group_rows : GROUP_ROWS;
    BP_TRY(bp_pq_encoder_open(&s->encoder, &s->leaves, o->codec, o->v2, !o->no_dict, ctx->n_threads,
                              err));
    BP_TRY(add_filters(s, o, err));
    bp_pq_late_init(&s->late, &s->schema, &s->leaves, s->encoder.writers, s->encoder.scratch,
                    &s->store, ctx);
    s->told_bytes = 2 * BATCH_BYTES + WRITER_BYTES + s->leaves.n * COLUMN_BYTES;
    /* where it is less than a batch: none while others come */
    s->flying_bytes = BP_MIN(FLYING_BYTES, share_of(s) / 4);
    bp_budget_least(&ctx->budget, s->told_bytes);
    return bp_outfile_write(&s->f, "PAR1", 4, err);
}

int bp_parquet_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                    const struct bp_parquet_out_opts *opts, struct bp_ctx *ctx, struct bp_err *err)
{
    struct pq_sink *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_sink){0};
    if (!s) {
        bp_outfile_abort(f);
        return err->code;
    }
    s->f = *f;
    s->f.is_slow = true;
    out->name = bp_mem_str(f->path, err);
    if (!out->name || open_sink(s, schema, opts, ctx, err) < 0) {
        bp_mem_free(out->name);
        out->name = NULL;
        pq_free(s);
        return err->code;
    }
    out->ops = &pq_ops;
    out->self = s;
    return 0;
}
