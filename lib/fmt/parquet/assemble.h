/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves with their levels -> a column of lists and structs (levels.h). */
#ifndef BP_FMT_PARQUET_ASSEMBLE_H
#define BP_FMT_PARQUET_ASSEMBLE_H

#include "col/column.h"
#include "fmt/parquet/levels.h"

/* What a leaf has of some rows: the first entry begins the first of them. */
struct bp_pq_shred {
    const struct bp_pq_column *column;
    struct bp_pq_levels levels;
    struct bp_column slots; /* one row for each entry with a place there */
};

/* node: a field. shreds: of its leaves, all of the same n_rows rows; what they have is moved
 * to the column. Levels that contradict one another are BP_EDATA. */
int bp_pq_assemble(struct bp_column *out, const struct bp_pq_node *node, struct bp_pq_shred *shreds,
                   int64_t n_rows, struct bp_err *err) BP_MUST;
void bp_pq_shred_release(struct bp_pq_shred *s);

#endif
