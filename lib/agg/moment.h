/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sums that variance and its like are made of (moment.c), and rows on their way
 * into them (agg_moment_rows.c).
 */
#ifndef BP_AGG_MOMENT_H
#define BP_AGG_MOMENT_H

#include "agg/exact.h"

enum { BP_XX, BP_YY, BP_XY, BP_PRODUCTS };

struct bp_moment {
    struct bp_agg base;
    struct bp_agg_array n; /* int64_t: rows without NULL */
    struct bp_exact sum[2];
    struct bp_exact high[BP_PRODUCTS], low[BP_PRODUCTS]; /* of products, and what they lost */
};

/* Does the function go by this product? */
bool bp_moment_needs(const struct bp_agg *a, int product);
/* struct bp_agg_ops' update. */
int bp_moment_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err) BP_MUST;

#endif
