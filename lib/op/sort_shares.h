/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of a fan-out in operators that make one table of all their rows. */
#ifndef BP_OP_SORT_SHARES_H
#define BP_OP_SORT_SHARES_H

#include "flow/flow.h"

/* At the end of the input. One share: the result is that share. Unmarked rows, or
 * all shares: *share becomes none. Several shares, not all: BP_EDATA. */
int bp_sort_shares_check(const struct bp_shareset *s, struct bp_share *share,
                         struct bp_err *err) BP_MUST;
/* A batch of no rows that says whose share it is. */
int bp_sort_shares_empty(const struct bp_schema *schema, struct bp_share share,
                         struct bp_batch *out, struct bp_err *err) BP_MUST;

#endif
