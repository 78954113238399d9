/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_lane.h"

#include "agg/order.h"
#include "base/mem.h"
#include "op/reduce_spill.h"

#define MERGE_ROWS 8192 /* groups of another lane, merged at a time */
#define MERGE_BYTES ((int64_t)1 << 20)
#define STATE_BYTES 32 /* of a state's part: a guess */

int bp_lane_init(struct bp_lane *l, const struct bp_reduce_plan *plan, struct bp_err *err)
{
    size_t n = (size_t)plan->n_keys + 1;
    int rc;

    *l = (struct bp_lane){.plan = plan};
    l->keys = bp_mem_new(n, sizeof *l->keys, err);
    l->key_ptrs = l->keys ? bp_mem_new(n, sizeof *l->key_ptrs, err) : NULL;
    rc = l->key_ptrs ? bp_reduce_table_init(&l->table, plan, NULL, err) : err->code;
    if (rc < 0)
        bp_lane_release(l);
    return rc;
}

static void drop_room(struct bp_lane *l)
{
    bp_mem_free(l->ids);
    bp_mem_free(l->some_ids);
    bp_mem_free(l->sel);
    l->some_ids = l->ids = NULL;
    l->sel = NULL;
    l->cap = 0;
}

void bp_lane_rest(struct bp_lane *l)
{
    bp_groups_rest(l->table.groups);
    drop_room(l);
}

void bp_lane_release(struct bp_lane *l)
{
    bp_reduce_table_release(&l->table);
    drop_room(l);
    bp_mem_free(l->keys);
    bp_mem_free(l->key_ptrs);
    *l = (struct bp_lane){0};
}

int bp_lane_clear(struct bp_lane *l, struct bp_err *err)
{
    return bp_reduce_table_clear(&l->table, l->plan, err);
}

int64_t bp_lane_need_bytes(const struct bp_lane *l, int64_t n_rows)
{
    int64_t count = bp_groups_count(l->table.groups);

    return bp_reduce_table_held_bytes(&l->table) + bp_groups_growth_bytes(l->table.groups, n_rows) +
           (l->plan->form == BP_REDUCE_PARTIAL ? 4 : BP_REDUCE_ORDER_BYTES) * (count + n_rows);
}

/* Scratch for n rows; ids with what aggregates may read ahead. */
static int room(struct bp_lane *l, int64_t n, struct bp_err *err)
{
    size_t n_ids = (size_t)n + BP_AGG_AHEAD;

    if (n <= l->cap)
        return 0;
    drop_room(l);
    l->sel = bp_mem_new((size_t)n, sizeof *l->sel, err);
    l->ids = l->sel ? bp_mem_new(n_ids, sizeof *l->ids, err) : NULL;
    l->some_ids = l->ids ? bp_mem_new(n_ids, sizeof *l->some_ids, err) : NULL;
    if (!l->some_ids)
        return err->code;
    l->cap = n;
    return 0;
}

/* ---- rows ---- */

int bp_lane_keys(struct bp_lane *l, const struct bp_batch *in, struct bp_err *err)
{
    const struct bp_reduce_plan *p = l->plan;

    for (int i = 0; i < p->n_keys; i++) {
        l->key_ptrs[i] = &l->keys[i];
        if (p->keys[i].col >= 0)
            bp_column_ref(&l->keys[i], &in->cols[p->keys[i].col]);
        else
            BP_TRY(bp_expr_eval(p->keys[i].expr, in, &l->keys[i], err));
    }
    return 0;
}

static int group_ids(struct bp_lane *l, const struct bp_batch *in, struct bp_err *err)
{
    const struct bp_reduce_plan *p = l->plan;
    int rc = 0;

    BP_GO(bp_lane_keys(l, in, err));
    rc = bp_groups_find(l->table.groups, l->key_ptrs, in->n_rows, l->ids, err);
out:
    for (int i = 0; i < p->n_keys; i++)
        bp_column_release(&l->keys[i]);
    return rc;
}

int bp_lane_args(const struct bp_reduce_plan *p, const struct bp_reduce_agg *a,
                 const struct bp_batch *in, struct bp_column *cols, struct bp_err *err)
{
    int n = p->merging ? a->agg->n_parts : a->agg->kind->n_args, col;

    for (int i = 0; i < n; i++) {
        if (!p->merging && !a->args[i]) {
            BP_TRY(bp_agg_order_keys(&a->order, in, &cols[i], err));
            continue;
        }
        col = p->merging ? a->parts[i] : bp_expr_column(a->args[i]);
        if (col >= 0)
            bp_column_ref(&cols[i], &in->cols[col]);
        else
            BP_TRY(bp_expr_eval(a->args[i], in, &cols[i], err));
    }
    return 0;
}

/* FILTER: rows and ids shrink to those for which it is true. */
static int filter_rows(struct bp_lane *l, const struct bp_reduce_agg *a, const struct bp_batch *in,
                       struct bp_batch *some, struct bp_agg_rows *rows, struct bp_err *err)
{
    int64_t n;

    BP_TRY(bp_expr_select(a->filter, in, l->sel, &n, err));
    BP_TRY(bp_batch_gather(some, in, l->sel, n, err));
    some->first_row = in->first_row;
    for (int64_t i = 0; rows->ids && i < n; i++)
        l->some_ids[i] = l->ids[l->sel[i]];
    if (rows->ids)
        rows->ids = l->some_ids;
    rows->n_rows = n;
    rows->gaps = true;
    return 0;
}

static int take_agg(struct bp_lane *l, int i, const struct bp_batch *in, int64_t first_row,
                    int64_t n_before, struct bp_err *err)
{
    const struct bp_reduce_agg *a = &l->plan->aggs[i];
    struct bp_agg *agg = l->table.aggs[i];
    struct bp_column cols[BP_AGG_PARTS_MAX + BP_AGG_ARGS_MAX] = {0};
    struct bp_agg_rows rows = {.cols = cols, .n_rows = in->n_rows, .n_before = n_before};
    struct bp_batch some = {0};
    int rc;

    rows.ids = l->plan->n_keys ? l->ids : NULL;
    rows.gaps = !in->n_rows;
    rows.task = (uint32_t)in->share.i;
    rows.first_row = first_row;
    BP_GO(agg->kind->ops->grow(agg, bp_groups_count(l->table.groups), err));
    if (a->filter)
        BP_GO(filter_rows(l, a, in, &some, &rows, err));
    BP_GO(bp_lane_args(l->plan, a, a->filter ? &some : in, cols, err));
    if (l->plan->merging)
        rc = agg->kind->ops->merge(agg, &rows, err);
    else
        rc = agg->kind->ops->update(agg, &rows, err);
out:
    for (size_t k = 0; k < BP_COUNT_OF(cols); k++)
        bp_column_release(&cols[k]);
    bp_batch_release(&some);
    return rc;
}

int bp_lane_take(struct bp_lane *l, const struct bp_batch *in, int64_t first_row,
                 struct bp_err *err)
{
    int64_t n_before = bp_groups_count(l->table.groups);

    BP_TRY(room(l, BP_MAX(in->n_rows, 1), err));
    BP_TRY(group_ids(l, in, err));
    for (int i = 0; i < l->plan->n_aggs; i++)
        BP_TRY(take_agg(l, i, in, first_row, n_before, err));
    return 0;
}

/* ---- groups ---- */

static int merge_groups(struct bp_lane *l, const struct bp_lane *from, int64_t at, int64_t n,
                        struct bp_column *cols, struct bp_err *err)
{
    const struct bp_reduce_plan *p = l->plan;
    struct bp_agg_rows rows = {.n_rows = n, .n_before = bp_groups_count(l->table.groups)};
    int col = p->n_keys;

    BP_TRY(room(l, n, err));
    for (int64_t i = 0; i < n; i++)
        l->some_ids[i] = (uint32_t)(at + i);
    BP_TRY(bp_reduce_table_columns(&from->table, p, true, l->some_ids, n, cols, err));
    for (int i = 0; i < p->n_keys; i++)
        l->key_ptrs[i] = &cols[i];
    BP_TRY(bp_groups_find(l->table.groups, l->key_ptrs, n, l->ids, err));
    rows.ids = p->n_keys ? l->ids : NULL;
    for (int i = 0; i < p->n_aggs; i++) {
        struct bp_agg *a = l->table.aggs[i];

        rows.cols = &cols[col];
        BP_TRY(a->kind->ops->grow(a, bp_groups_count(l->table.groups), err));
        BP_TRY(a->kind->ops->merge(a, &rows, err));
        col += a->n_parts;
    }
    return 0;
}

int bp_lane_merge(struct bp_lane *l, struct bp_lane *from, struct bp_err *err)
{
    int64_t count = bp_groups_count(from->table.groups);
    int64_t step;
    int n_cols = l->plan->n_keys, rc = 0;
    struct bp_batch b = {0};

    for (int i = 0; i < l->plan->n_aggs; i++)
        n_cols += l->table.aggs[i]->n_parts;
    step = BP_MAX(BP_MIN(MERGE_BYTES / (STATE_BYTES * BP_MAX(n_cols, 1)), MERGE_ROWS), 1);
    for (int64_t at = 0; at < count && rc == 0; at += step) {
        rc = bp_batch_init(&b, n_cols, err);
        if (rc == 0)
            rc = merge_groups(l, from, at, BP_MIN(count - at, step), b.cols, err);
        bp_batch_release(&b);
    }
    return rc < 0 ? rc : bp_lane_clear(from, err);
}
