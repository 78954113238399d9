/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Parquet file out. Batches are cut by the batch rule (recut.h), so that the file
 * depends on the rows alone, and gathered to rounds; in a round each column is a job of
 * the pool, which encodes and compresses its rows, while the next round is gathered.
 * Encoded pages wait until their row group is complete, on disk where the budget has no
 * room for them. Where it has none for the columns' dictionaries side by side, the rest of
 * the row group's rows wait there (late.h).
 */
#include <string.h>

#include "col/text_size.h"
#include "flow/marks.h"
#include "flow/recut.h"
#include "fmt/parquet/late.h"
#include "fmt/parquet/parquet.h"
#include "sys/pool.h"

/* Encoded pages of a row group are held until it ends: more rows cost memory, and files of real
 * tables become no smaller by them. Polars has as many. */
#define GROUP_ROWS ((int64_t)1 << 18)
#define GROUP_BYTES                                                                                \
    ((int64_t)256 << 20) /* of values: a row group ends with the batch that has them */
#define ROUND_BYTES ((int64_t)2 << 20)
#define ROUND_BATCHES 64
#define PIECE_TEXT_BYTES ((int64_t)1 << 20)
#define PIECE_STEP_ROWS 256
#define ROUND_LEAST_BYTES ((int64_t)1 << 20) /* where memory is tight */
/* One column with its dictionary and pages while they are encoded: what is needed at least. What
 * all keep besides, of facts. */
#define WRITER_BYTES ((int64_t)4 << 20)
#define COLUMN_BYTES ((int64_t)4 << 10)
/* A part of the memory are the columns when they are encoded side by side; as much the pages. */
#define SHARE 6

struct round {
    struct bp_batch batches[ROUND_BATCHES];
    int n;
    int64_t n_rows, bytes;
};

struct job {
    struct pq_sink *sink;
    int column;  /* a leaf */
    bool finish; /* the row group ends behind this round */
    struct bp_err err;
};

struct pq_sink {
    struct bp_outfile f;
    struct bp_schema schema;
    struct bp_recut recut;
    struct bp_share own;
    struct bp_shareset shares;
    int64_t group_rows;
    int64_t round_bytes; /* fewer where memory is little: the pages are the same */
    int64_t told_bytes;  /* what the budget was told that this needs */

    struct bp_pq_leaves leaves;
    struct bp_pq_footer footer;
    struct bp_pq_writer *columns; /* one a leaf */
    struct job *jobs;
    struct bp_pool *pool;
    struct bp_ctx *ctx;
    struct bp_pq_store store;
    int64_t taken_bytes;    /* of the budget, for encoded pages */
    int64_t filter_bytes;   /* the same, for Bloom filters */
    struct round rounds[2]; /* one is encoded, one gathered */
    int gathering;
    bool encoding;           /* jobs were given and not taken */
    int64_t n_rows, n_bytes; /* of the row group so far */
    struct bp_pq_late late;
    bool is_late; /* this row group */
};

/* ---- jobs ---- */

static int encode(struct job *j)
{
    struct pq_sink *s = j->sink;
    const struct round *r = &s->rounds[!s->gathering];
    struct bp_pq_writer *w = &s->columns[j->column];

    for (int i = 0; i < r->n; i++)
        BP_TRY(bp_pq_writer_add(w, &r->batches[i].cols[w->leaf->field], &j->err));
    return j->finish ? bp_pq_writer_finish(w, &j->err) : 0;
}

static void work(void *ctx, int worker, void *job)
{
    (void)ctx, (void)worker;
    (void)encode(job); /* what failed stands in the job */
}

static void clear_round(struct round *r)
{
    for (int i = 0; i < r->n; i++)
        bp_batch_release(&r->batches[i]);
    r->n = 0;
    r->n_rows = r->bytes = 0;
}

/* Waits for the round that is being encoded. */
static int wait_round(struct pq_sink *s, struct bp_err *err)
{
    struct job *j;
    int rc = 0;

    while (s->encoding && (j = bp_pool_take(s->pool)))
        if (j->err.code && rc == 0) {
            *err = j->err;
            rc = bp_err_prefix(err, "%s", s->f.path);
        }
    s->encoding = false;
    clear_round(&s->rounds[!s->gathering]);
    return rc;
}

static void give_back(struct pq_sink *s)
{
    bp_budget_give(&s->ctx->budget, s->taken_bytes);
    s->taken_bytes = 0;
}

static int move_out(struct pq_sink *s, struct bp_err *err)
{
    for (int i = 0; i < s->leaves.n; i++) {
        struct bp_buf *pages = &s->columns[i].pages;

        if (pages->len == 0)
            continue;
        BP_TRY(bp_pq_store_put(&s->store, i, pages->data, pages->len, s->ctx, err));
        s->columns[i].moved_bytes += (int64_t)pages->len;
        bp_buf_release(pages);
    }
    give_back(s);
    return 0;
}

/* A part of the memory, of which there may be no end. */
static int64_t share_of(const struct pq_sink *s)
{
    int64_t limit = s->ctx->budget.limit_bytes;

    return limit ? limit / SHARE : INT64_MAX;
}

/* Asks for the memory of the encoded pages, or does without. */
static int hold_pages(struct pq_sink *s, struct bp_err *err)
{
    int64_t n = 0;

    for (int i = 0; i < s->leaves.n; i++)
        n += (int64_t)s->columns[i].pages.cap;
    if (n > share_of(s))
        return move_out(s, err);
    if (n > s->taken_bytes && !bp_budget_take(&s->ctx->budget, n - s->taken_bytes))
        return move_out(s, err);
    s->taken_bytes = BP_MAX(n, s->taken_bytes);
    return 0;
}

/* The columns take more than they may. */
static bool is_too_much(const struct pq_sink *s)
{
    int64_t n = 0;

    for (int i = 0; i < s->leaves.n; i++)
        n += bp_pq_writer_state_bytes(&s->columns[i]);
    return n > share_of(s);
}

/* ---- a row group ---- */

/* The gathered round goes to the pool, and another is gathered. */
static int give_round(struct pq_sink *s, bool last, struct bp_err *err)
{
    s->gathering = !s->gathering;
    s->encoding = true;
    for (int i = 0; i < s->leaves.n; i++) {
        s->jobs[i] = (struct job){.sink = s, .column = i, .finish = last};
        bp_pool_give(s->pool, &s->jobs[i]);
    }
    if (!last)
        return 0;
    BP_TRY(wait_round(s, err));
    BP_TRY(bp_pq_footer_begin(&s->footer, s->n_rows, err));
    for (int i = 0; i < s->leaves.n; i++)
        BP_TRY(bp_pq_footer_column(&s->footer, i, &s->f, &s->columns[i], &s->store, err));
    bp_pq_store_clear(&s->store);
    give_back(s);
    return bp_pq_footer_end(&s->footer, &s->f, s->columns, s->ctx, err);
}

/* From here to its end the rows of the group wait on disk. */
static int turn_late(struct pq_sink *s, struct bp_err *err)
{
    struct round *r = &s->rounds[s->gathering];

    s->is_late = true;
    BP_TRY(move_out(s, err));
    BP_TRY(bp_pq_late_begin(&s->late, err));
    for (int i = 0; i < r->n; i++)
        BP_TRY(bp_pq_late_put(&s->late, &r->batches[i], err));
    clear_round(r);
    return 0;
}

static int end_group(struct pq_sink *s, struct bp_err *err)
{
    int rc = s->is_late ? bp_pq_late_end(&s->late, &s->footer, s->n_rows, &s->f, err)
                        : give_round(s, true, err);

    s->is_late = false;
    s->n_rows = s->n_bytes = 0;
    return rc;
}

/* The gathered round is full, or the last of its row group. */
static int end_round(struct pq_sink *s, bool last, struct bp_err *err)
{
    BP_TRY(wait_round(s, err));
    BP_TRY(hold_pages(s, err));
    if (is_too_much(s))
        BP_TRY(turn_late(s, err));
    if (last)
        return end_group(s, err);
    return s->is_late ? 0 : give_round(s, false, err);
}

/* ---- gathering ---- */

/* b, which is emptied. */
static int add_piece(struct pq_sink *s, struct bp_batch *b, struct bp_err *err)
{
    struct round *r = &s->rounds[s->gathering];
    int64_t bytes = bp_batch_size_bytes(b);
    bool last;

    s->n_rows += b->n_rows;
    s->n_bytes += bytes;
    last = s->n_rows == s->group_rows || s->n_bytes >= GROUP_BYTES;
    if (s->is_late) {
        int rc = bp_pq_late_put(&s->late, b, err);

        bp_batch_release(b);
        BP_TRY(rc);
        return last ? end_group(s, err) : 0;
    }
    r->n_rows += b->n_rows;
    r->bytes += bytes + bp_batch_dict_bytes(b, r->n ? &r->batches[r->n - 1] : NULL);
    bp_batch_move(&r->batches[r->n++], b);
    if (last || r->n == ROUND_BATCHES || r->bytes >= s->round_bytes)
        return end_round(s, last, err);
    return 0;
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
        BP_TRY(end_round(s, true, err));
    else if (s->n_rows)
        BP_TRY(end_group(s, err));
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

    bp_pool_free(s->pool);
    bp_pq_late_release(&s->late);
    clear_round(&s->rounds[0]);
    clear_round(&s->rounds[1]);
    for (int i = 0; s->columns && i < s->leaves.n; i++)
        bp_pq_writer_release(&s->columns[i]);
    bp_mem_free(s->columns);
    bp_mem_free(s->jobs);
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
        w = &s->columns[bp_pq_leaves_of(&s->leaves, col)];
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
    static const struct bp_pool_ops ops = {.work = work};
    size_t n;

    if (schema->n_fields == 0)
        return bp_fail(err, BP_EUSAGE, "a Parquet file has at least one column");
    s->ctx = ctx;
    BP_TRY(bp_schema_copy(&s->schema, schema, err));
    BP_TRY(bp_mark_task(&s->schema, &s->own, err));
    BP_TRY(bp_recut_init(&s->recut, &s->schema, err));
    BP_TRY(bp_pq_leaves_list(&s->leaves, &s->schema, err));
    BP_TRY(bp_pq_footer_open(&s->footer, &s->schema, &s->leaves, o, err));
    n = (size_t)s->leaves.n + 1;
    s->group_rows = o->group_rows ? o->group_rows : GROUP_ROWS;
    s->columns = bp_mem_new(n, sizeof *s->columns, err);
    s->jobs = s->columns ? bp_mem_new(n, sizeof *s->jobs, err) : NULL;
    if (!s->jobs)
        return err->code;
    for (int i = 0; i < s->leaves.n; i++)
        bp_pq_writer_open(&s->columns[i], &s->leaves.items[i], o->codec, o->v2, !o->no_dict);
    BP_TRY(add_filters(s, o, err));
    BP_TRY(bp_pool_open(&s->pool, ctx->n_threads, (int)n, &ops, s, err));
    bp_pq_late_init(&s->late, &s->schema, &s->leaves, s->columns, &s->store, ctx);
    s->told_bytes = 2 * ROUND_LEAST_BYTES + WRITER_BYTES + s->leaves.n * COLUMN_BYTES;
    s->round_bytes = BP_MAX(BP_MIN(ROUND_BYTES, share_of(s) / 4), ROUND_LEAST_BYTES);
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
