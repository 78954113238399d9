/* SPDX-License-Identifier: Apache-2.0 */
/* What a bp-reduce does, bound to its input's schema: keys, aggregates, the output. */
#ifndef BP_OP_REDUCE_PLAN_H
#define BP_OP_REDUCE_PLAN_H

#include "agg/agg.h"
#include "op/op.h"

struct bp_reduce_key {
    char *name;
    struct bp_type type;
    int col;              /* of the input, or -1 */
    struct bp_expr *expr; /* where it is no plain column */
};

struct bp_reduce_agg {
    struct bp_agg *agg; /* the model of those in tables: types, parts, no states */
    char *name;
    struct bp_expr *args[BP_AGG_ARGS_MAX]; /* rows come in; NULL: the keys of order */
    struct bp_order order;                 /* ORDER BY in the call */
    struct bp_expr *filter;                /* or NULL */
    int parts[BP_AGG_PARTS_MAX];           /* states come in: columns of the input */
};

struct bp_reduce_plan {
    enum bp_reduce_form form;
    bool merging;               /* the input is a partial result */
    struct bp_reduce_key *keys; /* the last goes across, if `across` */
    int n_keys;
    int n_order; /* by the hash of so many keys, the first, results are ordered */
    bool across; /* see across.h */
    struct bp_reduce_agg *aggs;
    int n_aggs;
    /* Each share is reduced on its own (and stays one): partial form, --per-task, or
     * the shares are disjoint by bp.parted. Otherwise the input must be the whole. */
    bool by_share;
    /* No keys, and this share has no partition: it has no row to give. */
    bool no_row;
    struct bp_schema schema; /* of the output */
};

int bp_reduce_plan_init(struct bp_reduce_plan *p, const struct bp_schema *in,
                        const struct bp_reduce_opts *opts, struct bp_err *err) BP_MUST;
void bp_reduce_plan_release(struct bp_reduce_plan *p);
/* used[i] = true for every column of the input that is read. */
void bp_reduce_plan_mark_columns(const struct bp_reduce_plan *p, bool *used);

#endif
