/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_table.h"

#include "base/mem.h"

static int new_groups(struct bp_groups **out, const struct bp_reduce_plan *p, struct bp_err *err)
{
    struct bp_type *types = bp_mem_new((size_t)p->n_keys + 1, sizeof *types, err);
    int rc;

    if (!types)
        return err->code;
    for (int i = 0; i < p->n_keys; i++)
        types[i] = p->keys[i].type;
    rc = bp_groups_new(out, types, p->n_keys, err);
    bp_mem_free(types);
    return rc;
}

int bp_reduce_table_init(struct bp_reduce_table *t, const struct bp_reduce_plan *plan,
                         const struct bp_pack *pack, struct bp_err *err)
{
    int rc = 0;

    *t = (struct bp_reduce_table){0};
    t->aggs = bp_mem_new((size_t)plan->n_aggs + 1, sizeof *t->aggs, err);
    if (!t->aggs)
        return err->code;
    for (; t->n_aggs < plan->n_aggs; t->n_aggs++) {
        const struct bp_reduce_agg *a = &plan->aggs[t->n_aggs];

        BP_GO(bp_agg_new(&t->aggs[t->n_aggs], a->agg->kind->func, a->agg->args,
                         a->agg->kind->n_args, a->name, err));
    }
    BP_GO(pack ? bp_groups_new_packed(&t->groups, pack, err) : new_groups(&t->groups, plan, err));
    return 0;
out:
    bp_reduce_table_release(t);
    return rc;
}

void bp_reduce_table_release(struct bp_reduce_table *t)
{
    for (int i = 0; i < t->n_aggs; i++)
        bp_agg_free(t->aggs[i]);
    bp_mem_free(t->aggs);
    bp_groups_free(t->groups);
    *t = (struct bp_reduce_table){0};
}

int bp_reduce_table_clear(struct bp_reduce_table *t, const struct bp_reduce_plan *plan,
                          struct bp_err *err)
{
    bp_reduce_table_release(t);
    return bp_reduce_table_init(t, plan, NULL, err);
}

int64_t bp_reduce_table_held_bytes(const struct bp_reduce_table *t)
{
    int64_t n = bp_groups_held_bytes(t->groups);

    for (int i = 0; i < t->n_aggs; i++)
        n += t->aggs[i]->held_bytes;
    return n;
}

int bp_reduce_table_columns(const struct bp_reduce_table *t, const struct bp_reduce_plan *plan,
                            bool states, const uint32_t *ids, int64_t n, struct bp_column *cols,
                            struct bp_err *err)
{
    int col = 0;

    for (int i = 0; i < plan->n_keys; i++)
        BP_TRY(bp_groups_column(t->groups, i, ids, n, &cols[col++], err));
    for (int i = 0; i < t->n_aggs; i++) {
        struct bp_agg *a = t->aggs[i];

        if (states)
            BP_TRY(a->kind->ops->save(a, ids, n, &cols[col], err));
        else
            BP_TRY(a->kind->ops->final(a, ids, n, &cols[col], err));
        col += states ? a->n_parts : 1;
    }
    return 0;
}
