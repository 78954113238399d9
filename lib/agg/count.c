/* SPDX-License-Identifier: Apache-2.0 */
/* count(*), count(x); count_if(b): rows for which b is true; regr_count(y, x): rows in which
 * both have a value. */
#include "agg/agg.h"
#include "base/mem.h"

struct count {
    struct bp_agg base;
    struct bp_agg_array n; /* int64_t */
};

static int count_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &((struct count *)a)->n, sizeof(int64_t), n_groups, err));
    a->n_groups = n_groups;
    return 0;
}

static int count_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    const struct bp_column *c = a->kind->n_args ? &r->cols[0] : NULL;
    int64_t *n = ((struct count *)a)->n.p;

    (void)err;
    if (!r->ids) {
        n[0] += r->n_rows - (c ? c->n_nulls : 0);
    } else if (c && c->n_nulls) {
        for (int64_t i = 0; i < r->n_rows; i++)
            n[r->ids[i]] += bp_bit_get(c->valid, i);
    } else {
        for (int64_t i = 0; i < r->n_rows; i++) {
            BP_AGG_FETCH(n, r->ids, i);
            n[r->ids[i]]++;
        }
    }
    return 0;
}

static int count_if_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    int64_t *n = ((struct count *)a)->n.p;

    (void)err;
    for (int64_t i = 0; i < r->n_rows; i++) /* a NULL's bit is 0 */
        n[r->ids ? r->ids[i] : 0] += bp_bit_get(r->cols[0].data, i);
    return 0;
}

static int pairs_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    int64_t *n = ((struct count *)a)->n.p;

    (void)err;
    for (int64_t i = 0; i < r->n_rows; i++)
        n[r->ids ? r->ids[i] : 0] +=
            !bp_column_is_null(&r->cols[0], i) && !bp_column_is_null(&r->cols[1], i);
    return 0;
}

static int count_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    int64_t *n = ((struct count *)a)->n.p;
    const int64_t *v = r->cols[0].data;
    bool over = false;

    for (int64_t i = 0; i < r->n_rows; i++) {
        int64_t *to = &n[r->ids ? r->ids[i] : 0];

        over |= v[i] < 0;
        over |= __builtin_add_overflow(*to, v[i], to);
    }
    if (over)
        return bp_fail(err, BP_EDATA,
                       "column %s: the counts of the partial input are negative or "
                       "too large",
                       a->name);
    return 0;
}

static int count_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                       struct bp_err *err)
{
    const int64_t *from = ((struct count *)a)->n.p;
    int64_t *to;

    BP_TRY(bp_agg_column(out, a->result, n, err));
    to = (int64_t *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++) {
        BP_AGG_FETCH_OUT(from, ids, i, n);
        to[i] = from[ids[i]];
    }
    return 0;
}

static void count_release(struct bp_agg *a)
{
    bp_mem_free(((struct count *)a)->n.p);
}

static const struct bp_agg_ops count_ops = {
    sizeof(struct count), count_grow,  count_update,  count_merge,
    count_final,          count_final, count_release,
};

static const struct bp_agg_ops count_if_ops = {
    sizeof(struct count), count_grow,  count_if_update, count_merge,
    count_final,          count_final, count_release,
};

static const struct bp_agg_ops pairs_ops = {
    sizeof(struct count), count_grow,  pairs_update,  count_merge,
    count_final,          count_final, count_release,
};

static bool boolean(const struct bp_type *t)
{
    return t->kind == BP_BOOL;
}

static int count_types(const struct bp_type *args, struct bp_type *result,
                       struct bp_agg_part *parts)
{
    (void)args;
    *result = BP_TYPE(BP_INT64);
    parts[0] = (struct bp_agg_part){NULL, *result};
    return 1;
}

const struct bp_agg_kind bp_agg_count_kinds[] = {
    {"count", "*", 0, NULL, count_types, &count_ops},
    {"count", "any type", 1, NULL, count_types, &count_ops},
    {"count_if", "boolean", 1, boolean, count_types, &count_if_ops},
    {"regr_count", "y, x", 2, NULL, count_types, &pairs_ops},
    {0},
};
