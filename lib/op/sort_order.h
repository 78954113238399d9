/* SPDX-License-Identifier: Apache-2.0 */
/* The order of held rows: which row comes first, second, ... Stable. */
#ifndef BP_OP_SORT_ORDER_H
#define BP_OP_SORT_ORDER_H

#include "op/sort_word.h"

struct bp_sort_rec {
    uint64_t word; /* of the key; of no meaning once sorted */
    uint64_t id;   /* of the row in held */
};

struct bp_sort_order {
    struct bp_block *block; /* NULL: the rows stand in order already */
    const struct bp_sort_rec *recs;
    int64_t n;
};

/* held is keyed and finished. The same order for any n_threads. */
int bp_sort_order(struct bp_sort_order *out, const struct bp_held *held,
                  const struct bp_sort_keys *keys, int n_threads, struct bp_err *err) BP_MUST;
void bp_sort_order_release(struct bp_sort_order *o);
/* refs (for bp_column_gather_many) of rows [from, from + n) of the order. */
void bp_sort_order_refs(const struct bp_sort_order *o, const struct bp_held *held, int64_t from,
                        int64_t n, uint64_t *refs);

/* sort_radix.c: by word, stable: rows of one word keep their order. tmp has room for n. */
void bp_sort_recs(struct bp_sort_rec *recs, struct bp_sort_rec *tmp, int64_t n);

#endif
