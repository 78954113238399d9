/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-sort: rows are held (sort_held; wide ones as rows, sort_rows), put in order
 * (sort_order) and gathered, a batch at a time, by the worker pool. With a limit, sort_top keeps
 * the held rows few. When the budget is used up, the held rows are put in order and
 * become a run on disk; the runs are merged at the end (sort_runs).
 */
#include "base/mem.h"
#include "flow/marks.h"
#include "flow/recut.h"
#include "op/op.h"
#include "op/partial.h"
#include "op/sort_order.h"
#include "op/sort_rows.h"
#include "op/sort_runs.h"
#include "op/sort_shares.h"
#include "op/sort_top.h"
#include "sys/pool.h"

#define PARALLEL_ROWS 65536 /* fewer are not worth threads */
#define ROWS_MIN_COLS 4     /* with fewer columns, rows are not worth their making */
#define ORDER_BYTES 32      /* of a row: its record in the order, and where it is sorted */
#define ALONE_ROWS (BP_HELD_ROWS / 2) /* of a batch, are a chunk without a copy */
#define CHUNK_SHARE 32                /* of the memory limit, for a chunk of held rows */
#define CUT_SHARE 8                   /* top N: a cut must leave no more of the held rows */

struct piece { /* of the output */
    int64_t from, n;
    struct bp_batch out;
    struct bp_err err;
};

struct sort {
    struct bp_source in;
    struct bp_ctx *ctx;
    struct bp_schema schema;
    struct bp_sort_keys keys;
    struct bp_sort_top top;
    int64_t limit; /* < 0: all rows */
    struct bp_shareset shares;
    struct bp_share share; /* of the output */

    struct bp_held held;
    bool as_rows; /* columns that are no keys are in rows, not in held */
    struct bp_sort_rows rows;
    struct bp_sort_order order;
    const struct bp_column **srcs; /* [column][chunk] */
    bool sorted;

    struct bp_sort_runs runs;
    int64_t taken_bytes; /* of the budget */
    int n_counted;       /* chunks of held that are in taken_bytes */

    int64_t piece_rows;
    int64_t n_rows, given_rows, taken_rows; /* of the output */
    struct bp_pool *pool;                   /* NULL: pieces are made by the caller */
};

/* ---- in ---- */

static bool is_key(const struct sort *s, int col)
{
    for (int k = 0; k < s->keys.n; k++)
        if (s->keys.keys[k].col == col)
            return true;
    return false;
}

/* Does a block hold much beside these bytes? */
static bool holds_more(const struct bp_block *b, int64_t bytes)
{
    return b && b->cap_bytes > (size_t)(bytes + bytes / 8) + BP_BLOCK_PAD_BYTES;
}

/* A column that is a part of what it lives on (a batch of a stream is one block) gets memory of
 * its own, so that the rest can go. A dictionary stays. */
static int unpin(struct bp_column *c, struct bp_err *err)
{
    struct bp_column from = *c, own; /* from owns nothing */
    struct bp_builder b;
    int64_t bytes;

    if (c->dict) {
        from.type = BP_TYPE(BP_INT32);
        from.dict = NULL;
    }
    bytes = bp_column_size_bytes(&from);
    if (!holds_more(c->own[1], bytes) && !holds_more(c->own[2], bytes))
        return 0;
    bp_builder_init(&b, from.type);
    if (bp_builder_add_rows(&b, &from, 0, c->n_rows, err) < 0 ||
        bp_builder_finish(&b, &own, err) < 0) {
        bp_builder_release(&b);
        return err->code;
    }
    own.type = c->type;
    own.dict = bp_dict_ref(c->dict);
    bp_column_release(c);
    *c = own;
    return 0;
}

static int open_rows(struct sort *s, struct bp_err *err)
{
    return bp_sort_rows_open(&s->rows, &s->in.schema, s->ctx->budget.limit_bytes, err);
}

/* Chunks of held that are new go to rows; of their columns the keys stay. */
static int make_rows(struct sort *s, struct bp_err *err)
{
    while (s->as_rows && s->rows.n_chunks < s->held.n_chunks) {
        struct bp_batch *chunk = &s->held.chunks[s->rows.n_chunks];

        BP_TRY(bp_sort_rows_add(&s->rows, chunk, err));
        for (int c = 0; c < chunk->n_cols; c++) {
            if (is_key(s, c))
                BP_TRY(unpin(&chunk->cols[c], err));
            else
                bp_column_release(&chunk->cols[c]);
        }
    }
    return 0;
}

/* What chunk i of held costs until its rows are out. */
static int64_t chunk_bytes(const struct sort *s, int i)
{
    const struct bp_batch *chunk = &s->held.chunks[i];
    int64_t bytes = chunk->n_rows * ORDER_BYTES;

    bytes += bp_batch_dict_bytes(chunk, i ? chunk - 1 : NULL);
    if (!s->as_rows)
        return bytes + bp_batch_size_bytes(chunk);
    for (int c = 0; c < chunk->n_cols; c++)
        if (is_key(s, c))
            bytes += bp_column_size_bytes(&chunk->cols[c]);
    if (s->rows.chunks[i].heap)
        bytes += (int64_t)s->rows.chunks[i].heap->cap_bytes;
    return bytes + bp_sort_rows_bytes(&s->rows, i);
}

static void give_back(struct sort *s)
{
    bp_budget_give(&s->ctx->budget, s->taken_bytes);
    s->taken_bytes = 0;
    s->n_counted = 0;
}

/* The one place where held rows are counted; false: they are more than may be. */
static bool count_held(struct sort *s)
{
    for (; s->n_counted < s->held.n_chunks; s->n_counted++) {
        int64_t bytes = chunk_bytes(s, s->n_counted);

        if (!bp_budget_take(&s->ctx->budget, bytes))
            return false;
        s->taken_bytes += bytes;
    }
    return true;
}

static int cut_top(struct sort *s, struct bp_err *err)
{
    int64_t before = s->held.n_rows;

    BP_TRY(bp_sort_top_cut(&s->top, &s->held, err));
    if (s->held.n_rows != before)
        give_back(s);
    return 0;
}

static int spill_held(struct sort *s, struct bp_err *err);

/* Top N: few enough rows are kept by a cut alone. */
static int make_room(struct sort *s, struct bp_err *err)
{
    if (s->limit > 0 && s->held.n_rows / CUT_SHARE >= s->limit) {
        s->top.hold_rows = s->held.n_rows; /* and from now on no more than that */
        BP_TRY(cut_top(s, err));
        if (count_held(s))
            return 0;
    }
    return spill_held(s, err);
}

static int hold(struct sort *s, struct bp_batch *in, struct bp_err *err)
{
    BP_TRY(bp_sort_keys_add(&s->keys, in, err));
    if (s->limit > 0)
        BP_TRY(bp_sort_top_filter(&s->top, in, err));
    BP_TRY(bp_held_add(&s->held, in, err));
    BP_TRY(s->limit > 0 ? cut_top(s, err) : make_rows(s, err));
    return count_held(s) ? 0 : make_room(s, err);
}

static int take_batch(struct sort *s, struct bp_batch *in, struct bp_err *err)
{
    int rc = 0;

    BP_GO(bp_shareset_add(&s->shares, in->share, err));
    if (in->share.n)
        s->share = in->share;
    if (s->limit != 0 && in->n_rows)
        rc = hold(s, in, err);
out:
    bp_batch_release(in);
    return rc;
}

static int take_all(struct sort *s, struct bp_err *err)
{
    struct bp_batch in;
    int rc;

    while ((rc = bp_source_next(&s->in, &in, err)) == 0)
        BP_TRY(take_batch(s, &in, err));
    if (rc < 0)
        return rc;
    BP_TRY(bp_sort_shares_check(&s->shares, &s->share, err));
    BP_TRY(bp_held_finish(&s->held, err));
    BP_TRY(make_rows(s, err));
    return count_held(s) ? 0 : make_room(s, err);
}

/* ---- out ---- */

static int gather_columns(const struct sort *s, const uint64_t *refs, int64_t n,
                          struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, s->keys.n_in, err));
    for (int c = 0; c < s->keys.n_in; c++)
        BP_TRY(bp_column_gather_many(&out->cols[c], s->srcs + (size_t)c * (size_t)s->held.n_chunks,
                                     s->held.n_chunks, refs, n, err));
    out->n_rows = n;
    return 0;
}

static int fill_piece(const struct sort *s, int64_t from, int64_t n, struct bp_batch *out,
                      struct bp_err *err)
{
    struct bp_block *block;
    uint64_t *refs;
    int rc;

    BP_TRY(bp_block_new(&block, (size_t)n * sizeof *refs, err));
    refs = (uint64_t *)(void *)block->data;
    bp_sort_order_refs(&s->order, &s->held, from, n, refs);
    BP_GO(s->as_rows ? bp_sort_rows_gather(&s->rows, refs, n, out, err)
                     : gather_columns(s, refs, n, out, err));
    out->first_row = from;
    out->share = s->share;
out:
    bp_block_unref(block);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

static void work_on_piece(void *ctx, int worker, void *job)
{
    struct piece *p = job;

    (void)worker;
    (void)fill_piece(ctx, p->from, p->n, &p->out, &p->err);
}

static void drop_piece(void *ctx, void *job)
{
    struct piece *p = job;

    (void)ctx;
    bp_batch_release(&p->out);
    bp_mem_free(p);
}

static const struct bp_pool_ops piece_ops = {work_on_piece, drop_piece};

/* As a stream has them: cut otherwise, rows are copied once more when they go out. */
static int64_t piece_rows(const struct sort *s)
{
    int64_t rows = bp_ctx_batch_rows(s->ctx, &s->schema), whole = bp_recut_rows(&s->schema);

    return whole ? BP_MIN(rows, whole) : rows;
}

static int prepare(struct sort *s, struct bp_err *err)
{
    size_t n_chunks = (size_t)s->held.n_chunks;

    s->given_rows = s->taken_rows = 0;
    s->piece_rows = piece_rows(s);
    BP_TRY(bp_sort_order(&s->order, &s->held, &s->keys, s->ctx->n_threads, err));
    s->n_rows = s->limit >= 0 ? BP_MIN(s->limit, s->order.n) : s->order.n;
    s->srcs = bp_mem_new((size_t)s->keys.n_in * n_chunks, sizeof *s->srcs, err);
    if (!s->srcs)
        return err->code;
    for (int c = 0; c < s->keys.n_in; c++)
        bp_held_columns(&s->held, c, s->srcs + (size_t)c * n_chunks);
    if (s->ctx->n_threads > 1 && s->n_rows >= PARALLEL_ROWS)
        BP_TRY(
            bp_pool_open(&s->pool, s->ctx->n_threads, 2 * s->ctx->n_threads, &piece_ops, s, err));
    return 0;
}

static int give_piece(struct sort *s, struct bp_err *err)
{
    struct piece *p = bp_mem_new(1, sizeof *p, err);

    if (!p)
        return err->code;
    p->from = s->given_rows;
    p->n = BP_MIN(s->piece_rows, s->n_rows - s->given_rows);
    s->given_rows += p->n;
    bp_pool_give(s->pool, p);
    return 0;
}

static int take_piece(struct sort *s, struct bp_batch *out, struct bp_err *err)
{
    struct piece *p;
    int rc;

    while (s->given_rows < s->n_rows && bp_pool_has_room(s->pool))
        BP_TRY(give_piece(s, err));
    p = bp_pool_take(s->pool);
    rc = p->err.code;
    if (rc < 0)
        *err = p->err;
    else
        bp_batch_move(out, &p->out);
    s->taken_rows += p->n;
    drop_piece(s, p);
    return rc;
}

static int next_piece(struct sort *s, struct bp_batch *out, struct bp_err *err)
{
    int64_t n = BP_MIN(s->piece_rows, s->n_rows - s->taken_rows);

    if (s->pool)
        return take_piece(s, out, err);
    BP_TRY(fill_piece(s, s->taken_rows, n, out, err));
    s->taken_rows += n;
    return 0;
}

/* ---- more than memory holds ---- */

static void drop_held(struct sort *s)
{
    bp_pool_free(s->pool);
    s->pool = NULL;
    bp_mem_free(s->srcs);
    s->srcs = NULL;
    bp_sort_order_release(&s->order);
    bp_held_release(&s->held);
    bp_sort_rows_release(&s->rows);
    give_back(s);
}

/* Of numbers, which are held in fewer bytes. */
static int64_t full_row_bytes(const struct bp_schema *schema)
{
    int64_t bytes = 0;

    for (int i = 0; i < schema->n_fields; i++)
        bytes += (int64_t)bp_type_width_bytes(schema->fields[i].type);
    return bytes;
}

/* The held rows, in order, become a run; then none are held. */
static int spill_held(struct sort *s, struct bp_err *err)
{
    int64_t row_bytes;
    struct bp_batch b;
    int rc;

    BP_TRY(bp_held_finish(&s->held, err));
    BP_TRY(make_rows(s, err));
    BP_TRY(prepare(s, err));
    row_bytes = s->n_rows ? s->taken_bytes / s->held.n_rows : 1;
    row_bytes = BP_MAX(row_bytes, full_row_bytes(&s->schema));
    s->piece_rows = bp_sort_runs_batch_rows(&s->runs, row_bytes);
    while (s->taken_rows < s->n_rows) {
        BP_TRY(next_piece(s, &b, err));
        rc = bp_sort_runs_put(&s->runs, &b, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    BP_TRY(bp_sort_runs_end(&s->runs, err));
    drop_held(s);
    return s->as_rows ? open_rows(s, err) : 0;
}

static int next_merged(struct sort *s, struct bp_batch *out, struct bp_err *err)
{
    int64_t left = s->limit < 0 ? INT64_MAX : s->limit - s->taken_rows;
    struct bp_batch cut;
    int rc;

    if (left == 0)
        return BP_DONE;
    rc = bp_sort_runs_next(&s->runs, out, err);
    if (rc)
        return rc;
    if (out->n_rows > left) {
        rc = bp_batch_slice(&cut, out, 0, left, err);
        bp_batch_release(out);
        BP_TRY(rc);
        bp_batch_move(out, &cut);
    }
    s->taken_rows += out->n_rows;
    out->share = s->share;
    return 0;
}

static int sort_all(struct sort *s, struct bp_err *err)
{
    BP_TRY(take_all(s, err));
    s->sorted = true;
    if (!s->runs.n)
        return prepare(s, err);
    if (s->held.n_rows)
        BP_TRY(spill_held(s, err));
    s->taken_rows = 0;
    return bp_sort_runs_start(&s->runs, s->limit, err);
}

static int sort_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct sort *s = self;

    if (!s->sorted) {
        BP_TRY(sort_all(s, err));
        if (!s->runs.n && !s->n_rows && s->share.n)
            return bp_sort_shares_empty(&s->schema, s->share, out, err);
    }
    if (s->runs.n)
        return next_merged(s, out, err);
    if (s->taken_rows == s->n_rows)
        return BP_DONE;
    return next_piece(s, out, err);
}

static void sort_free(void *self)
{
    struct sort *s = self;

    bp_source_free(&s->in);
    drop_held(s);
    bp_sort_runs_release(&s->runs);
    bp_sort_top_release(&s->top);
    bp_sort_keys_release(&s->keys);
    bp_schema_release(&s->schema);
    bp_shareset_release(&s->shares);
    bp_mem_free(s);
}

static bool has_nested(const struct bp_schema *s)
{
    for (int i = 0; i < s->n_fields; i++)
        if (bp_type_is_nested(s->fields[i].type))
            return true;
    return false;
}

static const struct bp_source_ops sort_ops = {.next = sort_next, .free = sort_free};

int bp_sort_open(struct bp_source *out, struct bp_source *in, const struct bp_clause *order,
                 int64_t n_rows, struct bp_ctx *ctx, struct bp_err *err)
{
    struct sort *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    *out = (struct bp_source){0};
    if (!s) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&s->in, in);
    s->ctx = ctx;
    s->limit = n_rows;
    bp_held_init(&s->held, NULL); /* counted here, with what they cost beside */
    if (ctx->budget.limit_bytes)
        s->held.chunk_bytes = BP_MAX(ctx->budget.limit_bytes / CHUNK_SHARE, 1);
    bp_sort_runs_init(&s->runs, &s->schema, &s->keys, ctx);
    BP_GO(bp_partial_refuse(&s->in.schema, "bp-sort", err));
    BP_GO(bp_sort_keys_open(&s->keys, order, &s->in.schema, err));
    bp_sort_top_init(&s->top, &s->keys, n_rows, ctx->n_threads);
    s->as_rows = n_rows < 0 && s->keys.n_in >= ROWS_MIN_COLS && !has_nested(&s->in.schema);
    if (s->as_rows) {
        s->held.alone_rows = ALONE_ROWS; /* of which only the keys stay as they come */
        BP_GO(open_rows(s, err));
    }
    BP_GO(bp_schema_copy(&s->schema, &s->in.schema, err));
    BP_GO(bp_sort_keys_mark(&s->keys, &s->schema, err));
    BP_GO(bp_schema_copy(&out->schema, &s->schema, err));
    bp_budget_least(&ctx->budget, bp_least_batch_bytes(&s->schema));
    bp_budget_least(&ctx->budget, bp_sort_runs_least_bytes(&s->schema));
    if (s->in.name) {
        out->name = bp_mem_str(s->in.name, err);
        if (!out->name) {
            rc = err->code;
            goto out;
        }
    }
    out->ops = &sort_ops;
    out->self = s;
    return 0;
out:
    sort_free(s);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}
