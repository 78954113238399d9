/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_work.h"

#include <string.h>

#include "base/mem.h"
#include "op/reduce_order.h"
#include "op/reduce_spill.h"
#include "sys/pool.h"

#define RESERVE_ROWS 8192 /* a part has so many groups, or its table grows */

/* One part. */
struct piece {
    int part;
    const uint32_t *ids; /* groups from before that fall into it, */
    int64_t n_ids;
    struct bp_column *states; /* their keys and states */
    struct bp_batch *batches;
    int n_batches, given;
    struct bp_err err;
};

struct bp_reduce_work {
    const struct bp_reduce_plan *plan;
    const struct bp_parts *parts;
    const struct bp_reduce_table *before;
    const struct bp_pack *pack;
    int n_state_cols;
    bool states;
    int64_t batch_rows;
    uint64_t *hash;  /* of groups from before, by id, */
    uint32_t *order; /* and they in order */
    int64_t at;
    int next_part;
    struct bp_pool *pool;
    struct piece *now; /* its batches are given */
};

/* ---- on a worker ---- */

static int merge_before(const struct bp_reduce_work *w, const struct piece *p,
                        struct bp_reduce_table *t, uint64_t *hash, struct bp_err *err)
{
    int words = w->pack->n_words, col = 0, rc = 0;
    uint64_t *rows = bp_mem_grow(NULL, (size_t)(p->n_ids * words), sizeof *rows, err);
    uint32_t *ids = rows ? bp_mem_new((size_t)p->n_ids + BP_AGG_AHEAD, sizeof *ids, err) : NULL;
    struct bp_agg_rows r = {.n_rows = p->n_ids, .ids = ids};

    if (!ids) {
        rc = err->code;
        goto out;
    }
    bp_groups_rows(w->before->groups, p->ids, p->n_ids, rows);
    BP_GO(bp_groups_find_rows(t->groups, rows, words, p->n_ids, ids, err));
    for (int64_t i = 0; i < p->n_ids; i++)
        hash[ids[i]] = w->hash[p->ids[i]];
    for (int i = 0; i < t->n_aggs; i++) {
        struct bp_agg *a = t->aggs[i];

        r.cols = &p->states[col];
        BP_GO(a->kind->ops->grow(a, bp_groups_count(t->groups), err));
        BP_GO(a->kind->ops->merge(a, &r, err));
        col += a->n_parts;
    }
out:
    bp_mem_free(rows);
    bp_mem_free(ids);
    return rc;
}

static int make_batches(const struct bp_reduce_work *w, struct piece *p,
                        const struct bp_reduce_table *t, const uint32_t *order, struct bp_err *err)
{
    int64_t count = bp_groups_count(t->groups), step = w->batch_rows, n;

    p->batches = bp_mem_new((size_t)((count + step - 1) / step), sizeof *p->batches, err);
    if (!p->batches)
        return err->code;
    for (int64_t from = 0; from < count; from += step) {
        struct bp_batch *b = &p->batches[p->n_batches++];

        n = BP_MIN(count - from, step);
        if (w->states) {
            BP_TRY(bp_reduce_spill_make(w->plan, t, order + from, n, b, err));
        } else {
            BP_TRY(bp_batch_init(b, w->plan->schema.n_fields, err));
            BP_TRY(bp_reduce_table_columns(t, w->plan, false, order + from, n, b->cols, err));
        }
        b->n_rows = n;
    }
    return 0;
}

static int group_part(const struct bp_reduce_work *w, struct piece *p, struct bp_err *err)
{
    int64_t n_rows = bp_parts_rows(w->parts, p->part) + p->n_ids;
    struct bp_reduce_table t;
    uint64_t *hash = NULL;
    uint32_t *order = NULL;
    int rc;

    if (n_rows == 0)
        return 0;
    BP_TRY(bp_reduce_table_init(&t, w->plan, w->pack, err));
    hash = bp_mem_grow(NULL, (size_t)n_rows, sizeof *hash, err);
    rc = hash ? bp_groups_reserve(t.groups, BP_MIN(n_rows, RESERVE_ROWS), err) : err->code;
    if (rc == 0 && p->n_ids)
        rc = merge_before(w, p, &t, hash, err);
    if (rc == 0)
        rc = bp_parts_fill(w->parts, p->part, &t, hash, err);
    bp_parts_discard(w->parts, p->part);
    if (rc == 0)
        rc = bp_reduce_order_hashed(t.groups, w->plan->n_keys, hash, BP_PARTS_BITS, &order, err);
    if (rc == 0)
        rc = make_batches(w, p, &t, order, err);
    bp_mem_free(order);
    bp_mem_free(hash);
    bp_reduce_table_release(&t);
    return rc;
}

static void work_on_piece(void *ctx, int worker, void *job)
{
    struct piece *p = job;

    (void)worker;
    (void)group_part(ctx, p, &p->err);
}

static void drop_piece(void *ctx, void *job)
{
    const struct bp_reduce_work *w = ctx;
    struct piece *p = job;

    if (!p)
        return;
    for (int i = 0; p->states && i < w->n_state_cols; i++)
        bp_column_release(&p->states[i]);
    for (int i = 0; i < p->n_batches; i++)
        bp_batch_release(&p->batches[i]);
    bp_mem_free(p->states);
    bp_mem_free(p->batches);
    bp_mem_free(p);
}

/* ---- around it ---- */

static int order_before(struct bp_reduce_work *w, struct bp_err *err)
{
    const struct bp_groups *g = w->before->groups;

    w->hash = bp_mem_new((size_t)bp_groups_count(g) + 1, sizeof *w->hash, err);
    if (!w->hash)
        return err->code;
    BP_TRY(bp_reduce_hashes(g, w->plan->n_keys, w->hash, err));
    return bp_reduce_order_hashed(g, w->plan->n_keys, w->hash, 0, &w->order, err);
}

int bp_reduce_work_open(struct bp_reduce_work **out, const struct bp_reduce_plan *plan,
                        const struct bp_parts *parts, const struct bp_reduce_table *before,
                        bool states, int64_t batch_rows, struct bp_ctx *ctx, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {work_on_piece, drop_piece};
    struct bp_reduce_work *w = bp_mem_new(1, sizeof *w, err);
    int rc = 0;

    *out = NULL;
    if (!w)
        return err->code;
    w->plan = plan;
    w->parts = parts;
    w->before = before;
    w->pack = bp_parts_pack(parts);
    w->states = states;
    w->batch_rows = batch_rows;
    for (int i = 0; i < plan->n_aggs; i++)
        w->n_state_cols += plan->aggs[i].agg->n_parts;
    if (before)
        BP_GO(order_before(w, err));
    BP_GO(bp_pool_open(&w->pool, ctx->n_threads, ctx->n_threads + 1, &ops, w, err));
    *out = w;
    return 0;
out:
    bp_reduce_work_free(w);
    return rc;
}

void bp_reduce_work_free(struct bp_reduce_work *w)
{
    if (!w)
        return;
    bp_pool_free(w->pool);
    drop_piece(w, w->now);
    bp_mem_free(w->hash);
    bp_mem_free(w->order);
    bp_mem_free(w);
}

/* States are taken out here: no aggregate is asked by two threads. */
static int save_before(struct bp_reduce_work *w, struct piece *p, struct bp_err *err)
{
    int64_t end = w->at, count = bp_groups_count(w->before->groups);
    int col = 0;

    while (end < count && w->hash[w->order[end]] >> (64 - BP_PARTS_BITS) == (uint64_t)p->part)
        end++;
    p->ids = w->order + w->at;
    p->n_ids = end - w->at;
    w->at = end;
    p->states = bp_mem_new((size_t)w->n_state_cols + 1, sizeof *p->states, err);
    if (!p->states)
        return err->code;
    for (int i = 0; i < w->before->n_aggs && p->n_ids; i++) {
        struct bp_agg *a = w->before->aggs[i];

        BP_TRY(a->kind->ops->save(a, p->ids, p->n_ids, &p->states[col], err));
        col += a->n_parts;
    }
    return 0;
}

static int give_pieces(struct bp_reduce_work *w, struct bp_err *err)
{
    while (w->next_part < BP_PARTS && bp_pool_has_room(w->pool)) {
        struct piece *p = bp_mem_new(1, sizeof *p, err);

        if (!p)
            return err->code;
        p->part = w->next_part++;
        if (w->before && save_before(w, p, err) < 0) {
            drop_piece(w, p);
            return err->code;
        }
        bp_pool_give(w->pool, p);
    }
    return 0;
}

int bp_reduce_work_next(struct bp_reduce_work *w, struct bp_batch *out, struct bp_err *err)
{
    while (!w->now || w->now->given == w->now->n_batches) {
        drop_piece(w, w->now);
        w->now = NULL;
        BP_TRY(give_pieces(w, err));
        w->now = bp_pool_take(w->pool);
        if (!w->now)
            return BP_DONE;
        if (w->now->err.code < 0) {
            *err = w->now->err;
            return err->code;
        }
        BP_TRY(give_pieces(w, err)); /* nobody is idle while the batches are used */
    }
    bp_batch_move(out, &w->now->batches[w->now->given++]);
    return 0;
}

int bp_reduce_work_rate(const struct bp_reduce_plan *plan, const struct bp_parts *parts,
                        const struct bp_pack *pack, double *rate, struct bp_err *err)
{
    struct bp_reduce_table t;
    int part = 0, rc;

    while (part < BP_PARTS - 1 && !bp_parts_rows(parts, part))
        part++;
    BP_TRY(bp_reduce_table_init(&t, plan, pack, err));
    rc = bp_parts_fill(parts, part, &t, NULL, err);
    if (rc == 0)
        *rate = (double)bp_groups_count(t.groups) / (double)BP_MAX(bp_parts_rows(parts, part), 1);
    bp_reduce_table_release(&t);
    return rc;
}
