/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the first word of the keys leaves open: rows of equal words are sorted by
 * the next word, and in the end by comparing values.
 */
#ifndef BP_OP_SORT_TIES_H
#define BP_OP_SORT_TIES_H

#include <pthread.h>

#include "op/sort_order.h"

struct bp_sort_ties {
    const struct bp_held *held;
    const struct bp_sort_keys *keys;
    struct bp_sort_plan plan;
    const struct bp_column **by_chunk; /* [chunk][key] */
    const struct bp_column **by_key;   /* [key][chunk] */
    pthread_mutex_t lock;              /* of err: the first failure of any thread */
    struct bp_err err;
};

int bp_sort_ties_open(struct bp_sort_ties *t, const struct bp_held *held,
                      const struct bp_sort_keys *keys, int n_threads, struct bp_err *err) BP_MUST;
void bp_sort_ties_release(struct bp_sort_ties *t);
/* recs are in order of their first words; the rest of the order is made. Thread
 * safe; errors are kept. tmp has room for n. */
void bp_sort_ties(struct bp_sort_ties *t, struct bp_sort_rec *recs, struct bp_sort_rec *tmp,
                  int64_t n);
void bp_sort_ties_fail(struct bp_sort_ties *t, const struct bp_err *err);
int bp_sort_ties_error(struct bp_sort_ties *t, struct bp_err *err) BP_MUST;

#endif
