/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least and the greatest value of a page or chunk, for its statistics. NaN is no
 * bound; zeros are -0 below and +0 above, as the specification asks of floats. Long
 * texts are cut to a bound that is not a value. Zero-initialise.
 */
#ifndef BP_FMT_PARQUET_RANGE_H
#define BP_FMT_PARQUET_RANGE_H

#include "fmt/parquet/physical.h"

struct bp_pq_range {
    bool any; /* there are bounds */
    uint64_t min, max;
    struct bp_buf min_bytes, max_bytes; /* where values are not words */
};

/* Values i of w for which use[i] is set; use NULL: all. */
int bp_pq_range_add(struct bp_pq_range *r, const struct bp_pq_layout *l,
                    const struct bp_pq_words *w, const uint8_t *use, struct bp_err *err) BP_MUST;
int bp_pq_range_merge(struct bp_pq_range *r, const struct bp_pq_layout *l,
                      const struct bp_pq_range *other, struct bp_err *err) BP_MUST;
/* As statistics have them, appended; *exact false: a bound, no value. No bound can be
 * told of some long texts: then 1 is returned instead of 0. */
int bp_pq_range_put(const struct bp_pq_range *r, const struct bp_pq_layout *l, bool max,
                    struct bp_buf *out, bool *exact, struct bp_err *err) BP_MUST;
/* < 0, 0, > 0: bounds of a against b's. Both have some. */
int bp_pq_range_compare(const struct bp_pq_layout *l, const struct bp_pq_range *a,
                        const struct bp_pq_range *b, bool max);
void bp_pq_range_release(struct bp_pq_range *r);

#endif
