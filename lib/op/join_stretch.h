/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of a join on disk, given share by share. Left rows came in stretches, each
 * of one share; the result is in order of the left row, so the rows of a stretch come
 * out together, and rows without a left row belong to the last one.
 *
 *     bp_join_stretches_note for each left batch; bp_join_stretches_next until BP_DONE
 *
 * All zero is a list without stretches.
 */
#ifndef BP_OP_JOIN_STRETCH_H
#define BP_OP_JOIN_STRETCH_H

#include "op/join_spill.h"

struct bp_join_stretch {
    int64_t first_row; /* left rows from this one on are of the share */
    struct bp_share share;
};

struct bp_join_stretches {
    struct bp_join_stretch *list;
    int n, cap, at;         /* at: the one that rows come from now */
    struct bp_batch result; /* rows from result_at on wait */
    int64_t result_at;
    const int64_t *left_rows; /* of result */
    bool gave_all, over;
};

int bp_join_stretches_note(struct bp_join_stretches *s, struct bp_share share, int64_t first_row,
                           struct bp_err *err) BP_MUST;
/* out: rows of one stretch, whose share is *share. No rows: the stretch has no more. */
int bp_join_stretches_next(struct bp_join_stretches *s, struct bp_join_spill *spill,
                           struct bp_batch *out, struct bp_share *share,
                           struct bp_err *err) BP_MUST;
void bp_join_stretches_release(struct bp_join_stretches *s);

#endif
