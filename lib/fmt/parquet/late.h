/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row groups whose columns do not fit into memory side by side, since each needs its dictionary
 * and its pages: their rows wait on disk, and at the end of the group the columns are encoded
 * one after the other, as many at a time as memory has room for. The bytes are those that
 * columns side by side give.
 *
 *     begin, put ..., end; and so on
 */
#ifndef BP_FMT_PARQUET_LATE_H
#define BP_FMT_PARQUET_LATE_H

#include <pthread.h>

#include "fmt/parquet/column_write.h"
#include "fmt/parquet/footer_write.h"
#include "fmt/parquet/held.h"
#include "sys/pool.h"

struct bp_pq_late_job;

struct bp_pq_late {
    const struct bp_schema *schema;
    const struct bp_pq_leaves *leaves;
    struct bp_pq_writer *columns;
    struct bp_pq_store *store;
    struct bp_ctx *ctx;
    struct bp_pq_held held;
    struct bp_pool *pool;
    struct bp_pq_late_job *jobs;
    struct bp_pq_write_scratch *scratch; /* borrowed; one for each of n_threads */
    int n_at_once;
    pthread_mutex_t lock; /* of store */
};

/* All of these outlive it. No allocation; release it once. */
void bp_pq_late_init(struct bp_pq_late *l, const struct bp_schema *schema,
                     const struct bp_pq_leaves *leaves, struct bp_pq_writer *columns,
                     struct bp_pq_write_scratch *scratch, struct bp_pq_store *store,
                     struct bp_ctx *ctx);
/* The writers, whose pages are in the store, leave memory with what they have. */
int bp_pq_late_begin(struct bp_pq_late *l, struct bp_err *err) BP_MUST;
/* b stays the caller's. */
int bp_pq_late_put(struct bp_pq_late *l, const struct bp_batch *b, struct bp_err *err) BP_MUST;
/* The row group, of n_rows rows with those before begin, to out and to the footer. */
int bp_pq_late_end(struct bp_pq_late *l, struct bp_pq_footer *f, int64_t n_rows,
                   struct bp_outfile *out, struct bp_err *err) BP_MUST;
void bp_pq_late_release(struct bp_pq_late *l);

#endif
