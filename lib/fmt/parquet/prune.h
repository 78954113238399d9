/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rows of a row group a condition may be true of, by what the file says of itself:
 * statistics of the chunks, Bloom filters, dictionaries where all values are in them, and
 * the page index.
 */
#ifndef BP_FMT_PARQUET_PRUNE_H
#define BP_FMT_PARQUET_PRUNE_H

#include "flow/flow.h"
#include "fmt/parquet/format.h"
#include "fmt/parquet/stretch.h"

struct bp_pq_prune {
    const struct bp_pq_file *file;
    const struct bp_pq_node *const *nodes; /* of the condition's columns, in order */
    const bool *used;                      /* by the condition */
    int n;
    int64_t most_bytes; /* of a dictionary, and of what pages say; more is not looked at */
    struct bp_condition condition;
};

/* Appends the rows to out. */
int bp_pq_prune_group(const struct bp_pq_prune *p, int group, struct bp_pq_stretches *out,
                      struct bp_err *err) BP_MUST;

#endif
