/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For map.c: steps whose values follow from one column of text alone are run once for
 * each different value of it in a batch, where values repeat and that turns out to be
 * faster.
 *
 *     bp_repeat_bind(r, steps, ...)           once, when all steps are known
 *     bp_repeat_start(r, in, &run, err)       a batch; by any thread
 *     bp_repeat_step(r, step, from, out, &run, err)    each step, in order
 *     bp_repeat_end(r, &run)                  always
 */
#ifndef BP_OP_MAP_REPEAT_H
#define BP_OP_MAP_REPEAT_H

#include <stdatomic.h>

#include "expr/expr.h"

struct map_step {
    struct bp_expr *expr; /* NULL: take column from as it is */
    int from;
    int to; /* column to replace; -1: append */
    bool unnest;
    bool repeats; /* its values follow from the column of the repeat alone */
};

#define REPEAT_TRIALS 4 /* batches: half of them the one way, half the other */

struct repeat {
    int column;   /* of the input; -1: there is none */
    int n_cols;   /* of the rows that steps see, at most */
    bool appends; /* what a step gives is a column for those behind it */
    atomic_int n_started, n_finished;
    atomic_llong ns_per_krow[2]; /* the least that a trial took: [0] plainly, [1] by values */
    atomic_int by_values;        /* 1: it pays */
};

struct repeat_run {
    bool by_values, timed;
    int64_t started_ns, n_rows;
    struct bp_block *codes; /* of each row: its value */
    struct bp_batch values; /* a row a value; only columns that follow from it are filled */
    int n_filled;           /* columns that the rows have so far */
};

/* The column of text of which most steps are functions. appends: as bp-map -a does. */
int bp_repeat_bind(struct repeat *r, struct map_step *steps, int n_steps,
                   const struct bp_schema *in, bool appends, struct bp_err *err) BP_MUST;
int bp_repeat_start(struct repeat *r, const struct bp_batch *in, struct repeat_run *run,
                    struct bp_err *err) BP_MUST;
int bp_repeat_step(const struct map_step *s, const struct bp_batch *from, struct bp_column *out,
                   struct repeat_run *run, struct bp_err *err) BP_MUST;
void bp_repeat_end(struct repeat *r, struct repeat_run *run);

#endif
