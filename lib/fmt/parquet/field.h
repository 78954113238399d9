/* SPDX-License-Identifier: Apache-2.0 */
/* A column of the table that somebody wants: the columns of the file below it, and how
 * their pieces become one. */
#ifndef BP_FMT_PARQUET_FIELD_H
#define BP_FMT_PARQUET_FIELD_H

#include "fmt/parquet/want.h"

struct bp_pq_field {
    const struct bp_pq_node *node;
    struct bp_pq_want *wants; /* node->n_leaves of them */
};

/* Are the rows from this one on there that a batch of n can be cut from? Of lists, when
 * they are long, fewer than n. */
bool bp_pq_field_ready(const struct bp_pq_field *f, int64_t row, int64_t n);
/* How many rows a batch had best take (piece.h). */
int64_t bp_pq_field_reach(const struct bp_pq_field *f, int64_t row, int64_t n, int64_t long_rows);
int bp_pq_field_cut(const struct bp_pq_field *f, int64_t row, int64_t n, struct bp_column *out,
                    struct bp_err *err) BP_MUST;

#endif
