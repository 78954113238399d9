/* SPDX-License-Identifier: Apache-2.0 */
/* Parquet files (apache/parquet-format), both ways. */
#ifndef BP_FMT_PARQUET_PARQUET_H
#define BP_FMT_PARQUET_PARQUET_H

#include "codec/pack.h"
#include "flow/flow.h"
#include "sys/input.h"
#include "sys/outfile.h"

struct bp_parquet_opts {
    bool some_groups; /* only row groups [first_group, first_group + n_groups) */
    int first_group, n_groups;
    int task, n_tasks; /* n_tasks > 0: these are the share of this task */
    bool unite;        /* the caller reads all shares of which this file is one */
};

bool bp_parquet_is_file(const uint8_t *head, size_t n); /* by the first 4 bytes */
/* How many row groups; in is taken over. */
int bp_parquet_count_groups(struct bp_input *in, int *n, struct bp_err *err) BP_MUST;
/* in must be a file (in->is_file); taken over, also on error. Pages are decoded on
 * ctx->n_threads, in order. Only wanted columns are read (bp_source_ops.project). */
int bp_parquet_source(struct bp_source *out, struct bp_input *in,
                      const struct bp_parquet_opts *opts, struct bp_ctx *ctx,
                      struct bp_err *err) BP_MUST;

struct bp_parquet_order { /* rows are sorted by this column */
    int column;
    bool desc, nulls_first;
};

struct bp_parquet_out_opts {
    enum bp_pack codec;
    int64_t group_rows; /* of a row group; 0: the default, 131,072 */
    bool v2;            /* data pages of version 2 */
    bool no_dict;
    const char *const *bloom; /* NULL-terminated names of columns with a Bloom filter, or NULL */
    const struct bp_parquet_order *order; /* n_order, the first key first; told to readers */
    int n_order;
};
/* f is taken over (also on error). Columns are encoded on ctx->n_threads; the file is the
 * same for any number. */
int bp_parquet_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                    const struct bp_parquet_out_opts *opts, struct bp_ctx *ctx,
                    struct bp_err *err) BP_MUST;

#endif
