/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as unsigned numbers in SQL's order: integers with the sign turned,
 * floats with their bits turned (-0 is 0, one NaN, above all), dates and times
 * as they are. Sort keys and join keys are made of them.
 */
#ifndef BP_OP_SORT_ORD_H
#define BP_OP_SORT_ORD_H

#include "col/column.h"

#define BP_ORD_SIGN ((uint64_t)1 << 63)

/* out[i] for rows [from, from + n). Decimals and intervals (by length, as they
 * compare) that do not fit are the nearest number that does. Not for text and
 * binary. Null slots give some number. */
void bp_ord64(const struct bp_column *c, int64_t from, int64_t n, uint64_t *out);
/* True for types that may not fit 64 bits. */
bool bp_ord_is_wide(struct bp_type t);
/* The same number in 128 bits; wide types only. */
void bp_ord128(const struct bp_column *c, int64_t from, int64_t n, bp_uint128 *out);
/* The least and the greatest that bp_ord64() gives for a type. */
void bp_ord_range(struct bp_type t, uint64_t *min, uint64_t *max);

#endif
