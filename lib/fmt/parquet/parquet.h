/* SPDX-License-Identifier: Apache-2.0 */
/* Parquet files (apache/parquet-format): tables from them. */
#ifndef BP_FMT_PARQUET_PARQUET_H
#define BP_FMT_PARQUET_PARQUET_H

#include "flow/flow.h"
#include "sys/input.h"

struct bp_parquet_opts {
    bool some_groups; /* only row groups [first_group, first_group + n_groups) */
    int first_group, n_groups;
    int task, n_tasks; /* n_tasks > 0: these are the share of this task */
};

bool bp_parquet_is_file(const uint8_t *head, size_t n); /* by the first 4 bytes */
/* How many row groups; in is taken over. */
int bp_parquet_count_groups(struct bp_input *in, int *n, struct bp_err *err) BP_MUST;
/* in must be a file (in->is_file); taken over, also on error. Pages are decoded on
 * ctx->n_threads, in order. Only wanted columns are read (bp_source_ops.project). */
int bp_parquet_source(struct bp_source *out, struct bp_input *in,
                      const struct bp_parquet_opts *opts, struct bp_ctx *ctx,
                      struct bp_err *err) BP_MUST;

#endif
