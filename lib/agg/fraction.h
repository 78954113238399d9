/* SPDX-License-Identifier: Apache-2.0 */
/* The fraction of a percentile: one constant from 0 to 1. */
#ifndef BP_AGG_FRACTION_H
#define BP_AGG_FRACTION_H

#include "agg/agg.h"

struct bp_fraction {
    double v;
    bool is_set;
};

/* BP_EDATA where it is no fraction, or another than before. */
int bp_fraction_take(struct bp_fraction *f, const struct bp_agg *a, double v,
                     struct bp_err *err) BP_MUST;
/* All values of a column of numbers. */
int bp_fraction_take_column(struct bp_fraction *f, const struct bp_agg *a,
                            const struct bp_column *c, struct bp_err *err) BP_MUST;
/* Value i, of any type of number, that is not NULL. */
double bp_agg_number_at(const struct bp_column *c, int64_t i);
/* Between the values of the ranks around fraction * (n - 1), as PostgreSQL. */
static inline double bp_fraction_between(double at, double lo, double hi)
{
    return lo == hi ? lo : lo + (hi - lo) * (at - (double)(int64_t)at);
}

#endif
