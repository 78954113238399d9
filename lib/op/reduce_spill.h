/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups that do not fit into memory. When the budget says no, the states of all
 * groups go to a temporary file (lib/stage's spill) as a run: a row a group, in the
 * order of a finished result (reduce_order.h), with the hash of its key in front.
 * At the end the runs are merged by windows of that order:
 *
 *     hash   0 ........................................ 2^64
 *     run 1  |==batch==|=======batch=======|====...
 *     run 2  |=====batch=====|==batch==|===...
 *                      ^ the smallest last hash of what is in memory
 *
 * Every row before the mark is in memory, and the rows at the mark itself are read to
 * their end, so the groups up to it are complete: they are looked up in a fresh table, their states
 * merged, and given. No row is compared with another; memory is a batch of each run and the
 * window's groups. Windows come in hash order, so the result is the same bytes as without a spill.
 *
 *     bp_reduce_spill_put     as often as memory is full, and once at the end
 *     bp_reduce_spill_start
 *     bp_reduce_spill_window  until BP_DONE
 */
#ifndef BP_OP_REDUCE_SPILL_H
#define BP_OP_REDUCE_SPILL_H

#include "op/reduce_table.h"
#include "stage/spill.h"

/* What one group costs while the order of the result is worked out. */
#define BP_REDUCE_ORDER_BYTES 24

struct bp_reduce_cursor;

struct bp_reduce_spill {
    struct bp_reduce_plan *plan;
    struct bp_ctx *ctx;
    struct bp_schema schema; /* hash, keys, state columns */
    struct bp_spill *spill;  /* NULL until the first run */
    struct bp_spill_run *runs;
    int n_runs, cap_runs;
    struct bp_reduce_cursor *cursors; /* of the runs that are being merged */
    int n_cursors;
    int64_t taken_bytes; /* of the budget, by the cursors */
    uint32_t *ids;       /* scratch */
    int64_t cap_ids;
};

/* No allocation; plan and ctx are borrowed. */
void bp_reduce_spill_init(struct bp_reduce_spill *s, struct bp_reduce_plan *plan,
                          struct bp_ctx *ctx);
void bp_reduce_spill_release(struct bp_reduce_spill *s);
/* What merging two runs of the plan's states needs. */
int64_t bp_reduce_spill_least_bytes(const struct bp_reduce_plan *plan);
/* All groups of the table become a run. */
int bp_reduce_spill_put(struct bp_reduce_spill *s, const struct bp_reduce_table *t,
                        struct bp_err *err) BP_MUST;
/* The same in pieces: batches that bp_reduce_spill_make() (thread safe) makes of groups
 * ids[0, n), in order, and an end. */
int bp_reduce_spill_make(const struct bp_reduce_plan *p, const struct bp_reduce_table *t,
                         const uint32_t *ids, int64_t n, struct bp_batch *out,
                         struct bp_err *err) BP_MUST;
int64_t bp_reduce_spill_batch_rows(const struct bp_reduce_spill *s);
int bp_reduce_spill_add(struct bp_reduce_spill *s, const struct bp_batch *b,
                        struct bp_err *err) BP_MUST;
int bp_reduce_spill_end(struct bp_reduce_spill *s, struct bp_err *err) BP_MUST;
/* No more runs come. t as for bp_reduce_spill_window(): used where there are more
 * runs than can be merged at once. */
int bp_reduce_spill_start(struct bp_reduce_spill *s, struct bp_reduce_table *t,
                          struct bp_err *err) BP_MUST;
/* t (cleared) becomes the next stretch of the order; BP_DONE behind the last. */
int bp_reduce_spill_window(struct bp_reduce_spill *s, struct bp_reduce_table *t,
                           struct bp_err *err) BP_MUST;

#endif
