/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs: rows in order that were put on disk because memory was full, and their merge
 * into one order. Runs follow one another in the input, so ties come in the order of
 * the runs. As many runs are merged at once as the budget has batches for; where
 * there are more, neighbours are merged to longer runs first, and of these no more
 * than needed.
 *
 *     for each run: bp_sort_runs_put ..., bp_sort_runs_end
 *     bp_sort_runs_start, then bp_sort_runs_next until BP_DONE
 */
#ifndef BP_OP_SORT_RUNS_H
#define BP_OP_SORT_RUNS_H

#include "op/sort_merge.h"
#include "stage/spill.h"

struct bp_sort_runs {
    const struct bp_schema *schema;
    const struct bp_sort_keys *keys;
    struct bp_ctx *ctx;
    struct bp_spill *spill; /* NULL until the first row */
    struct bp_spill_run *runs;
    int n, cap;
    int64_t taken_bytes; /* of the budget, while merging */
    struct bp_source *ins;
    int n_ins;
    struct bp_merger merger;
};

/* No allocation. schema and keys are borrowed. */
void bp_sort_runs_init(struct bp_sort_runs *r, const struct bp_schema *schema,
                       const struct bp_sort_keys *keys, struct bp_ctx *ctx);
void bp_sort_runs_release(struct bp_sort_runs *r);
/* What merging two runs needs. */
int64_t bp_sort_runs_least_bytes(const struct bp_schema *schema);
/* How many rows of that size a batch of a run has. */
int64_t bp_sort_runs_batch_rows(const struct bp_sort_runs *r, int64_t row_bytes);
/* in (not keyed) stays the caller's. */
int bp_sort_runs_put(struct bp_sort_runs *r, const struct bp_batch *in, struct bp_err *err) BP_MUST;
int bp_sort_runs_end(struct bp_sort_runs *r, struct bp_err *err) BP_MUST;
/* limit >= 0: only so many rows are wanted. */
int bp_sort_runs_start(struct bp_sort_runs *r, int64_t limit, struct bp_err *err) BP_MUST;
int bp_sort_runs_next(struct bp_sort_runs *r, struct bp_batch *out, struct bp_err *err) BP_MUST;

#endif
