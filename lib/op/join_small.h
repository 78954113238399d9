/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small table to be held as the right side of a join: read at once, its texts made
 * dictionaries, so that each left row takes a code of it and no copy of the text. What
 * is small is told by the whole table's values, and so the same for every task, memory
 * and size of batches. Text columns of a table that is not small come as they are.
 */
#ifndef BP_OP_JOIN_SMALL_H
#define BP_OP_JOIN_SMALL_H

#include "flow/flow.h"

#define BP_SMALL_ROWS 65536
#define BP_SMALL_BYTES ((int64_t)4 << 20)      /* of values in all */
#define BP_SMALL_TEXT_BYTES ((int64_t)1 << 20) /* of one text column */

/* src (stays valid, another source now) is read as far as it may be small. */
int bp_join_small(struct bp_source *src, struct bp_err *err) BP_MUST;

#endif
