/* SPDX-License-Identifier: Apache-2.0 */
#include "op/join_emit.h"

#include <string.h>

#define THREADS_LEAST_IDS ((int64_t)1 << 20) /* held rows from which on threads pay */

struct bp_join_job {
    const struct bp_join_emit *e;
    const struct bp_batch *left;
    const struct bp_join_pairs *pairs;
    const struct right_refs *refs;
    const struct bp_join_col *col; /* NULL: it is for a piece of the pairs */
    struct bp_column *out;
    int64_t from, n; /* of the pairs */
    struct bp_batch piece;
    struct bp_err err;
};

static void work(void *ctx, int worker, void *job);

static int open_pool(struct bp_join_emit *e, int n_threads, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {.work = work};
    int n = e->plan->n_cols;

    e->n_pieces = 1;
    if (n_threads > 1 && bp_held_ids(e->held) >= THREADS_LEAST_IDS) {
        n_threads = e->rows.made ? n_threads : BP_MIN(n_threads, n);
        e->n_pieces = n_threads;
        BP_TRY(bp_pool_open(&e->pool, n_threads, n + n_threads, &ops, NULL, err));
    }
    e->parts = bp_mem_new((size_t)e->n_pieces, sizeof *e->parts, err);
    e->jobs = e->parts ? bp_mem_new((size_t)(n + e->n_pieces), sizeof *e->jobs, err) : NULL;
    return e->jobs ? 0 : err->code;
}

static int list_columns(struct bp_join_emit *e, struct bp_err *err)
{
    const struct bp_join_plan *plan = e->plan;
    const struct bp_held *held = e->held;
    size_t n_srcs = (size_t)held->n_chunks + 1;

    e->srcs = bp_mem_new((size_t)plan->right.n_fields * n_srcs, sizeof *e->srcs, err);
    if (!e->srcs)
        return err->code;
    for (int c = 0; c < plan->right.n_fields; c++) {
        if (held->n_chunks)
            bp_held_columns(held, c, e->srcs + (size_t)c * n_srcs);
        e->srcs[(size_t)c * n_srcs + n_srcs - 1] = &plan->right_missing.cols[c];
    }
    return 0;
}

int bp_join_emit_open(struct bp_join_emit *e, const struct bp_join_plan *plan, struct bp_held *held,
                      struct bp_ctx *ctx, struct bp_err *err)
{
    e->plan = plan;
    e->held = held;
    BP_TRY(bp_join_rows_make(&e->rows, plan, held, ctx, err));
    if (!e->rows.made)
        BP_TRY(list_columns(e, err));
    return open_pool(e, ctx->n_threads, err);
}

void bp_join_emit_release(struct bp_join_emit *e)
{
    bp_pool_free(e->pool);
    bp_join_rows_release(&e->rows);
    bp_mem_free(e->jobs);
    bp_mem_free(e->parts);
    bp_mem_free(e->srcs);
    memset(e, 0, sizeof *e);
}

/* Refs of the pairs' right rows; missing stands for those without. */
static bool make_refs(const struct bp_join_pairs *pairs, uint64_t missing, uint64_t *refs)
{
    bool any = false;

    for (int64_t i = 0; i < pairs->n; i++) {
        bool none = pairs->right[i] == BP_JOIN_NONE;

        refs[i] = none ? missing : bp_held_ref(pairs->right[i]);
        any |= none;
    }
    return any;
}

struct right_refs {
    struct bp_block *block;
    uint64_t *plain, *filled; /* missing rows are NULL; are the fill row */
    bool any_missing;
};

static int right_refs(const struct bp_join_emit *e, const struct bp_join_pairs *pairs,
                      struct right_refs *r, struct bp_err *err)
{
    BP_TRY(bp_block_new(&r->block, (size_t)pairs->n * 2 * sizeof(uint64_t), err));
    r->plain = (uint64_t *)(void *)r->block->data;
    r->filled = r->plain + pairs->n;
    r->any_missing = make_refs(pairs, e->rows.made ? e->rows.missing : UINT64_MAX, r->plain);
    if (r->any_missing && e->plan->has_fill && !e->rows.made)
        (void)make_refs(pairs, (uint64_t)e->held->n_chunks << 32, r->filled);
    return 0;
}

static int right_column(const struct bp_join_emit *e, int col, const struct bp_join_pairs *pairs,
                        const struct right_refs *r, struct bp_column *out, struct bp_err *err)
{
    int n_chunks = e->held->n_chunks;
    const struct bp_column **srcs = e->srcs + (size_t)col * ((size_t)n_chunks + 1);
    bool fill = r->any_missing && e->plan->right_filled[col];

    if (n_chunks == 1 && !fill) /* ids are row numbers, and none is -1 */
        return bp_column_gather(out, srcs[0], (const int32_t *)pairs->right, pairs->n, err);
    return bp_column_gather_many(out, srcs, n_chunks + (fill || !n_chunks),
                                 fill ? r->filled : r->plain, pairs->n, err);
}

static int left_column(const struct bp_join_emit *e, int col, const struct bp_batch *left,
                       const struct bp_join_pairs *pairs, struct bp_column *out, struct bp_err *err)
{
    struct bp_block *zeroes;
    int rc;

    if (left && !pairs->left) {
        bp_column_ref(out, &left->cols[col]);
        return 0;
    }
    if (left)
        return bp_column_gather(out, &left->cols[col], pairs->left, pairs->n, err);
    if (!e->plan->left_filled[col])
        return bp_column_nulls(out, e->plan->left.fields[col].type, pairs->n, err);
    BP_TRY(bp_block_new(&zeroes, (size_t)pairs->n * sizeof(int32_t), err));
    memset(zeroes->data, 0, (size_t)pairs->n * sizeof(int32_t));
    rc = bp_column_gather(out, &e->plan->left_missing.cols[col],
                          (const int32_t *)(const void *)zeroes->data, pairs->n, err);
    bp_block_unref(zeroes);
    return rc;
}

static int do_job(struct bp_join_job *j)
{
    const struct bp_join_col *c = j->col;

    if (!c)
        return bp_sort_rows_gather(&j->e->rows.rows, j->refs->plain + j->from, j->n, &j->piece,
                                   &j->err);
    if (!bp_join_col_is_right(c, j->left != NULL))
        return left_column(j->e, c->left, j->left, j->pairs, j->out, &j->err);
    return right_column(j->e, c->right, j->pairs, j->refs, j->out, &j->err);
}

static void work(void *ctx, int worker, void *job)
{
    (void)ctx, (void)worker;
    (void)do_job(job); /* what failed stands in the job */
}

/* All jobs; the error of the first that failed. */
static int run_jobs(const struct bp_join_emit *e, int n, struct bp_err *err)
{
    for (int i = 0; i < n && !e->pool; i++)
        (void)do_job(&e->jobs[i]);
    for (int i = 0; i < n && e->pool; i++)
        bp_pool_give(e->pool, &e->jobs[i]);
    while (e->pool && bp_pool_take(e->pool))
        ;
    for (int i = 0; i < n; i++)
        if (e->jobs[i].err.code) {
            *err = e->jobs[i].err;
            return err->code;
        }
    return 0;
}

/* The jobs for the columns that are in rows, a piece of the pairs each; how many. */
static int piece_jobs(const struct bp_join_emit *e, const struct bp_join_job *like,
                      struct bp_join_job *jobs)
{
    int64_t n = like->pairs->n, each = (n + e->n_pieces - 1) / e->n_pieces;
    int n_jobs = 0;

    for (int64_t from = 0; from < n || n_jobs == 0; from += each) {
        struct bp_join_job *j = &jobs[n_jobs++];

        *j = *like;
        j->from = from;
        j->n = BP_MIN(each, n - from);
    }
    return n_jobs;
}

/* Column c of the rows, from all pieces. */
static int unite_pieces(struct bp_join_job *jobs, int n_jobs, int c, struct bp_column *out,
                        struct bp_err *err)
{
    const struct bp_column **parts = jobs[0].e->parts;

    if (n_jobs == 1) {
        bp_column_ref(out, &jobs[0].piece.cols[c]);
        return 0;
    }
    for (int i = 0; i < n_jobs; i++)
        parts[i] = &jobs[i].piece.cols[c];
    return bp_column_concat(out, parts, n_jobs, err);
}

/* The columns that are in rows; jobs are done. */
static int take_pieces(const struct bp_join_emit *e, bool has_left, struct bp_join_job *jobs,
                       int n_jobs, struct bp_batch *out, struct bp_err *err)
{
    for (int i = 0; i < e->plan->n_cols; i++) {
        const struct bp_join_col *c = &e->plan->cols[i];

        if (bp_join_col_is_right(c, has_left))
            BP_TRY(unite_pieces(jobs, n_jobs, e->rows.place[c->right], &out->cols[i], err));
    }
    return 0;
}

int bp_join_emit_pairs(const struct bp_join_emit *e, const struct bp_batch *left,
                       const struct bp_join_pairs *pairs, const bool *uses, struct bp_batch *out,
                       struct bp_err *err)
{
    struct right_refs refs = {0};
    struct bp_join_job like = {.e = e, .left = left, .pairs = pairs, .refs = &refs};
    int n = 0, n_pieces = 0, rc;

    BP_TRY(bp_batch_init(out, e->plan->n_cols, err));
    BP_GO(right_refs(e, pairs, &refs, err));
    for (int i = 0; i < e->plan->n_cols; i++)
        if ((!uses || uses[i]) &&
            !(e->rows.made && bp_join_col_is_right(&e->plan->cols[i], left != NULL))) {
            like.col = &e->plan->cols[i];
            like.out = &out->cols[i];
            e->jobs[n++] = like;
        }
    like.col = NULL;
    if (e->rows.made)
        n_pieces = piece_jobs(e, &like, e->jobs + n);
    BP_GO(run_jobs(e, n + n_pieces, err));
    if (e->rows.made)
        BP_GO(take_pieces(e, left != NULL, e->jobs + n, n_pieces, out, err));
    out->n_rows = pairs->n;
out:
    for (int i = n; i < n + n_pieces; i++)
        bp_batch_release(&e->jobs[i].piece);
    bp_block_unref(refs.block);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}
