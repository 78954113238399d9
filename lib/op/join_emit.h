/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of a left row and a held right row, made into columns of the result: by threads where
 * what is held is more than the caches have room for, a column each, or some of the pairs each
 * where the right is held as rows.
 */
#ifndef BP_OP_JOIN_EMIT_H
#define BP_OP_JOIN_EMIT_H

#include "op/join_plan.h"
#include "op/join_rows.h"
#include "op/join_table.h"
#include "sys/pool.h"

struct bp_join_job;

struct bp_join_emit {
    const struct bp_join_plan *plan;
    const struct bp_held *held;
    const struct bp_column **srcs;  /* [right column][chunk], and last the missing row's */
    struct bp_join_rows rows;       /* in place of srcs, if made */
    const struct bp_column **parts; /* [n_pieces]: scratch */
    struct bp_join_job *jobs;       /* one a column of the result, and one a piece of the pairs */
    struct bp_pool *pool;           /* NULL: none */
    int n_pieces;                   /* of the pairs, where there are rows */
};

struct bp_join_pairs {
    const int32_t *left;   /* rows of the left batch; NULL: each once, in order */
    const uint32_t *right; /* ids; BP_JOIN_NONE: the right is missing */
    int64_t n;
};

/* held is finished, and its table built; its columns may be gone then. */
int bp_join_emit_open(struct bp_join_emit *e, const struct bp_join_plan *plan, struct bp_held *held,
                      struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
void bp_join_emit_release(struct bp_join_emit *e);
/* The result's columns for pairs; only those with uses[i], if uses is given. left NULL:
 * the left is missing in all pairs. By one thread at a time. */
int bp_join_emit_pairs(const struct bp_join_emit *e, const struct bp_batch *left,
                       const struct bp_join_pairs *pairs, const bool *uses, struct bp_batch *out,
                       struct bp_err *err) BP_MUST;

#endif
