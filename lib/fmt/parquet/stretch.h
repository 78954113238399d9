/* SPDX-License-Identifier: Apache-2.0 */
/* Stretches of rows that are read, ascending, without common rows. Zero-initialise. */
#ifndef BP_FMT_PARQUET_STRETCH_H
#define BP_FMT_PARQUET_STRETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct bp_pq_stretch {
    int64_t from, to; /* rows of the file, from 0 */
    int group;        /* all of them are of this row group */
};

struct bp_pq_stretches {
    struct bp_pq_stretch *items;
    int n, cap;
};

/* from is not below what is there; rows that follow on the last ones of their group
 * lengthen it. */
int bp_pq_stretch_add(struct bp_pq_stretches *s, int64_t from, int64_t to, int group,
                      struct bp_err *err) BP_MUST;
/* The first that has a row at or behind this one; NULL: there is none. */
const struct bp_pq_stretch *bp_pq_stretch_at(const struct bp_pq_stretches *s, int64_t row);
/* Those before this row are not asked for any more. */
void bp_pq_stretch_forget(struct bp_pq_stretches *s, int64_t row);
void bp_pq_stretches_release(struct bp_pq_stretches *s);

#endif
