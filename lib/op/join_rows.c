/* SPDX-License-Identifier: Apache-2.0 */
#include "op/join_rows.h"

#define LEAST_IDS ((int64_t)1 << 20)
#define LEAST_MISSES 3 /* that a row's columns cost each for itself */

/* Which columns of the right come out; how many misses they cost where each stands alone; 0:
 * they cannot be rows. */
static int look_at_columns(const struct bp_join_plan *p, bool *wanted)
{
    int misses = 0;

    for (int i = 0; i < p->n_cols; i++)
        if (p->cols[i].right >= 0 && (p->cols[i].left < 0 || p->keeps_right))
            wanted[p->cols[i].right] = true;
    for (int c = 0; c < p->right.n_fields; c++) {
        struct bp_type t = p->right.fields[c].type;

        if (!wanted[c])
            continue;
        if (bp_type_is_nested(t))
            return 0;
        misses += bp_type_is_bytes(t) ? 2 : 1;
    }
    return misses;
}

/* What text column c takes beyond what it took as a column; less than 0: it takes less. Of it
 * *width is in the rows. */
static int64_t more_text_bytes(const struct bp_held *held, int c, size_t *width)
{
    int64_t more = 0;

    for (int i = 0; i < held->n_chunks; i++) {
        const struct bp_column *col = &held->chunks[i].cols[c];
        const int32_t *off = col->data;

        more += bp_sort_rows_text_bytes(col, width) - col->n_rows * (int64_t)sizeof(int32_t);
        if (!col->dict)
            more -= off[col->n_rows] - off[0];
    }
    return more;
}

/* What rows take at most beyond what their columns took: numbers take no more. */
static int64_t more_bytes(const struct bp_join_plan *p, const bool *wanted,
                          const struct bp_held *held, bool packed)
{
    const struct bp_sort_rows how = {.packed = packed};
    size_t row = 0, bits;
    int64_t more = 0;
    int n = 0;

    for (int c = 0; c < p->right.n_fields; c++) {
        struct bp_type t = p->right.fields[c].type;
        size_t width = bp_type_is_bytes(t) ? 0 : BP_MAX(bp_type_width_bytes(t), 1);

        n += wanted[c];
        if (wanted[c] && bp_type_is_bytes(t))
            more += more_text_bytes(held, c, &width);
        row += wanted[c] ? width : 0;
    }
    bits = bp_bits_bytes(n);
    more += held->n_rows * (int64_t)(bp_sort_rows_row_bytes(&how, bits + row) - row);
    return BP_MAX(more, 0);
}

/* Asks the budget, if need be for packed rows. */
static bool take_bytes(struct bp_join_rows *r, const struct bp_join_plan *p, const bool *wanted,
                       const struct bp_held *held, struct bp_budget *budget)
{
    for (int packed = 0; packed < 2; packed++) {
        r->taken_bytes = more_bytes(p, wanted, held, packed);
        r->packed = packed;
        if (bp_budget_take(budget, r->taken_bytes))
            return true;
    }
    r->taken_bytes = 0;
    return false;
}

static int open_rows(struct bp_join_rows *r, const struct bp_join_plan *p, const bool *wanted,
                     struct bp_err *err)
{
    struct bp_schema s = {0};
    int rc = 0;

    r->place = bp_mem_new((size_t)p->right.n_fields, sizeof *r->place, err);
    if (!r->place)
        return err->code;
    for (int c = 0; c < p->right.n_fields; c++) {
        r->place[c] = wanted[c] ? s.n_fields : -1;
        if (wanted[c])
            BP_GO(bp_schema_add(&s, p->right.fields[c].name, p->right.fields[c].type, err));
    }
    BP_GO(bp_sort_rows_open(&r->rows, &s, r->budget->limit_bytes, err));
    r->rows.packed = r->packed;
    r->made = true;
out:
    bp_schema_release(&s);
    return rc;
}

/* The wanted columns of b as the next chunk. */
static int add_chunk(struct bp_join_rows *r, const struct bp_batch *b, struct bp_err *err)
{
    struct bp_batch view = {.n_rows = b->n_rows, .n_cols = r->rows.n_cols};
    int rc;

    view.cols = bp_mem_new((size_t)view.n_cols, sizeof *view.cols, err);
    if (!view.cols)
        return err->code;
    for (int c = 0; c < b->n_cols; c++)
        if (r->place[c] >= 0)
            view.cols[r->place[c]] = b->cols[c]; /* owns nothing */
    rc = bp_sort_rows_add(&r->rows, &view, err);
    bp_mem_free(view.cols);
    return rc;
}

static int add_all(struct bp_join_rows *r, const struct bp_join_plan *p, struct bp_held *held,
                   struct bp_err *err)
{
    for (int i = 0; i < held->n_chunks; i++) {
        BP_TRY(add_chunk(r, &held->chunks[i], err));
        for (int c = 0; c < held->chunks[i].n_cols; c++)
            bp_column_release(&held->chunks[i].cols[c]);
    }
    r->missing = (uint64_t)held->n_chunks << 32;
    return p->keeps_left ? add_chunk(r, &p->right_missing, err) : 0;
}

int bp_join_rows_make(struct bp_join_rows *r, const struct bp_join_plan *plan, struct bp_held *held,
                      struct bp_budget *budget, struct bp_err *err)
{
    bool *wanted;
    int rc = 0;

    if (bp_held_ids(held) < LEAST_IDS || plan->where || plan->only_left)
        return 0;
    wanted = bp_mem_new((size_t)plan->right.n_fields, sizeof *wanted, err);
    if (!wanted)
        return err->code;
    if (look_at_columns(plan, wanted) < LEAST_MISSES)
        goto out;
    if (!take_bytes(r, plan, wanted, held, budget))
        goto out;
    r->budget = budget;
    BP_GO(open_rows(r, plan, wanted, err));
    rc = add_all(r, plan, held, err);
out:
    bp_mem_free(wanted);
    return rc;
}

void bp_join_rows_release(struct bp_join_rows *r)
{
    if (r->made)
        bp_sort_rows_release(&r->rows);
    bp_mem_free(r->place);
    if (r->taken_bytes)
        bp_budget_give(r->budget, r->taken_bytes);
    *r = (struct bp_join_rows){0};
}
