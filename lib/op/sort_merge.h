/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sorted stream out of several. bp-sort -m and, where rows are spilled, the
 * runs of a sort go through here. Ties come in the order of the inputs, so a
 * merge of runs that follow one another in the input is stable.
 */
#ifndef BP_OP_SORT_MERGE_H
#define BP_OP_SORT_MERGE_H

#include "op/sort_word.h"

struct bp_merge_head;

struct bp_merger {
    struct bp_source *ins; /* borrowed; of one logical schema */
    int n_ins;
    const struct bp_sort_keys *keys;
    bool check; /* that each input is sorted; else BP_EDATA naming input and row */
    int64_t batch_rows;
    struct bp_sort_plan plan;
    const struct bp_column **key_cols; /* scratch */
    struct bp_merge_head *heads;       /* [n_ins] */
    int *heap;                         /* heads with rows, least first */
    int n_heap;
    bool started;
    struct bp_batch *slots; /* batches that refs point into; keyed */
    int n_slots, cap_slots;
    uint64_t *refs; /* of the rows of the next output batch */
    int64_t n_refs;
    int64_t n_rows; /* given so far */
};

int bp_merger_open(struct bp_merger *m, struct bp_source *ins, int n_ins,
                   const struct bp_sort_keys *keys, bool check, int64_t batch_rows,
                   struct bp_err *err) BP_MUST;
/* 0 and a batch (not keyed, share not set), or BP_DONE. */
int bp_merger_next(struct bp_merger *m, struct bp_batch *out, struct bp_err *err) BP_MUST;
void bp_merger_release(struct bp_merger *m);

#endif
