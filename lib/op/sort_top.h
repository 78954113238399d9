/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first N rows of an order, in memory of that size: rows are held until there
 * are several times N, then sorted and cut; the last row that stays is the bar
 * which later rows must be below to be held at all.
 */
#ifndef BP_OP_SORT_TOP_H
#define BP_OP_SORT_TOP_H

#include "op/sort_word.h"

struct bp_sort_top {
    const struct bp_sort_keys *keys;
    int64_t n_rows, hold_rows; /* wanted; held before a cut */
    int n_threads;
    struct bp_sort_plan plan; /* from types: for a quick look at a batch */
    struct bp_batch bar;      /* one row, keyed; none before the first cut */
    uint64_t bar_word;
};

void bp_sort_top_init(struct bp_sort_top *t, const struct bp_sort_keys *keys, int64_t n_rows,
                      int n_threads);
void bp_sort_top_release(struct bp_sort_top *t);
/* Drops the rows of b (keyed) that cannot be among the first N. */
int bp_sort_top_filter(const struct bp_sort_top *t, struct bp_batch *b, struct bp_err *err) BP_MUST;
/* Cuts held when it has grown enough. */
int bp_sort_top_cut(struct bp_sort_top *t, struct bp_held *held, struct bp_err *err) BP_MUST;

#endif
