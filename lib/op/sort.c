/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-sort: rows are held (sort_held; wide ones as rows, sort_rows), put in order
 * (sort_order) and gathered, a batch at a time, by the worker pool. With a limit, sort_top keeps
 * the held rows few. When memory is bounded (later), held rows that are in order become a run on
 * disk, and the runs are merged (sort_merge); so nothing here needs all the rows
 * at once but the call of bp_sort_order().
 */
#include "base/mem.h"
#include "flow/marks.h"
#include "flow/pool.h"
#include "op/op.h"
#include "op/partial.h"
#include "op/sort_order.h"
#include "op/sort_rows.h"
#include "op/sort_shares.h"
#include "op/sort_top.h"

#define PARALLEL_ROWS 65536 /* fewer are not worth threads */
#define ROWS_MIN_COLS 4     /* with fewer columns, rows are not worth their making */

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
    int64_t n_rows, given_rows, taken_rows; /* of the output */
    struct bp_pool *pool;                   /* NULL: pieces are made by the caller */
};

/* ---- in ---- */

/* Chunks of held that are new go to rows; of their columns the keys stay. */
static int make_rows(struct sort *s, struct bp_err *err)
{
    while (s->as_rows && s->rows.n_chunks < s->held.n_chunks) {
        struct bp_batch *chunk = &s->held.chunks[s->rows.n_chunks];

        BP_TRY(bp_sort_rows_add(&s->rows, chunk, err));
        for (int c = 0; c < s->keys.n_in; c++) {
            bool key = false;

            for (int k = 0; k < s->keys.n; k++)
                key |= s->keys.keys[k].col == c;
            if (!key)
                bp_column_release(&chunk->cols[c]);
        }
    }
    return 0;
}

static int take_batch(struct sort *s, struct bp_batch *in, struct bp_err *err)
{
    int rc = 0;

    BP_GO(bp_shareset_add(&s->shares, in->share, err));
    if (in->share.n)
        s->share = in->share;
    if (s->limit == 0 || in->n_rows == 0)
        goto out;
    BP_GO(bp_sort_keys_add(&s->keys, in, err));
    if (s->limit > 0)
        BP_GO(bp_sort_top_filter(&s->top, in, err));
    BP_GO(bp_held_add(&s->held, in, err));
    if (s->limit > 0)
        rc = bp_sort_top_cut(&s->top, &s->held, err);
    else
        rc = make_rows(s, err);
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
    return make_rows(s, err);
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

static int prepare(struct sort *s, struct bp_err *err)
{
    size_t n_chunks = (size_t)s->held.n_chunks;

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
    p->n = BP_MIN(s->ctx->batch_rows, s->n_rows - s->given_rows);
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
    int64_t n = BP_MIN(s->ctx->batch_rows, s->n_rows - s->taken_rows);

    if (s->pool)
        return take_piece(s, out, err);
    BP_TRY(fill_piece(s, s->taken_rows, n, out, err));
    s->taken_rows += n;
    return 0;
}

static int sort_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct sort *s = self;

    if (!s->sorted) {
        BP_TRY(take_all(s, err));
        BP_TRY(prepare(s, err));
        s->sorted = true;
        if (!s->n_rows && s->share.n)
            return bp_sort_shares_empty(&s->schema, s->share, out, err);
    }
    if (s->taken_rows == s->n_rows)
        return BP_DONE;
    return next_piece(s, out, err);
}

static void sort_free(void *self)
{
    struct sort *s = self;

    bp_source_free(&s->in);
    bp_pool_free(s->pool);
    bp_mem_free(s->srcs);
    bp_sort_order_release(&s->order);
    bp_held_release(&s->held);
    bp_sort_rows_release(&s->rows);
    bp_sort_top_release(&s->top);
    bp_sort_keys_release(&s->keys);
    bp_schema_release(&s->schema);
    bp_shareset_release(&s->shares);
    bp_mem_free(s);
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
    bp_held_init(&s->held, &ctx->budget);
    BP_GO(bp_partial_refuse(&s->in.schema, "bp-sort", err));
    BP_GO(bp_sort_keys_open(&s->keys, order, &s->in.schema, err));
    bp_sort_top_init(&s->top, &s->keys, n_rows, ctx->n_threads);
    s->as_rows = n_rows < 0 && s->keys.n_in >= ROWS_MIN_COLS;
    BP_GO(bp_sort_rows_open(&s->rows, &s->in.schema, err));
    BP_GO(bp_schema_copy(&s->schema, &s->in.schema, err));
    BP_GO(bp_sort_keys_mark(&s->keys, &s->schema, err));
    BP_GO(bp_schema_copy(&out->schema, &s->schema, err));
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
