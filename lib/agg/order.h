/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ORDER BY inside an aggregate's call: the values to order by, of one row, as bytes that
 * order as the list says (memcmp). So an aggregate that keeps rows in order, and its
 * states, know nothing of the list: its last argument is a binary column.
 *
 * An item is a byte that puts NULL first or last, then, of a value, its code
 * (code.h); text has 00 as 00 ff, and ends with 00 00; DESC flips the bits of the
 * value. No key is the beginning of another.
 */
#ifndef BP_AGG_ORDER_H
#define BP_AGG_ORDER_H

#include "expr/expr.h"

int bp_agg_order_keys(const struct bp_order *o, const struct bp_batch *in, struct bp_column *out,
                      struct bp_err *err) BP_MUST;

#endif
