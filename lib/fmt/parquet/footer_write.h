/* SPDX-License-Identifier: Apache-2.0 */
/* The footer of a file being written: facts are gathered chunk by chunk, and put last. */
#ifndef BP_FMT_PARQUET_FOOTER_WRITE_H
#define BP_FMT_PARQUET_FOOTER_WRITE_H

#include "fmt/parquet/encoded.h"
#include "fmt/parquet/parquet.h"
#include "fmt/parquet/shred.h"
#include "fmt/parquet/store.h"
#include "fmt/parquet/thrift.h"
#include "sys/outfile.h"

/* Page indexes, in the order in which they stand in the file. */
enum { BP_PQ_COLUMN_INDEX, BP_PQ_OFFSET_INDEX, BP_PQ_INDEXES };

struct bp_pq_index { /* all of one kind, one behind the other */
    struct bp_pq_store store;
    struct bp_buf buf; /* behind those in the store */
};

struct bp_pq_chunk_facts {
    int64_t dict_at, data_at; /* offsets in the file; dict_at 0: none */
    int64_t raw_bytes, n_bytes, n_values, n_nulls;
    int n_dict_pages, n_plain_pages;
    struct bp_pq_range range;
    struct bp_pq_page_fact
        *pages; /* of the row group that is being written; offsets from data_at */
    int n_pages;
    int64_t index_at[BP_PQ_INDEXES], index_bytes[BP_PQ_INDEXES]; /* 0: none */
    int64_t bloom_at, bloom_bytes;
    struct bp_buf filter; /* of the row group that is being written */
};

struct bp_pq_group_facts {
    int64_t n_rows;
    struct bp_pq_chunk_facts *chunks;
};

struct bp_pq_footer {
    const struct bp_schema *schema;
    const struct bp_pq_leaves *leaves; /* each is a chunk of a row group */
    enum bp_pack codec;
    bool v2;
    struct bp_parquet_order *order; /* its own; n_order */
    int n_order;
    struct bp_pq_group_facts *groups;
    int n_groups, cap_groups;
    struct bp_pq_index indexes[BP_PQ_INDEXES];
    struct bp_buf scratch;
};

/* schema and leaves outlive it. */
int bp_pq_footer_open(struct bp_pq_footer *f, const struct bp_schema *schema,
                      const struct bp_pq_leaves *leaves, const struct bp_parquet_out_opts *opts,
                      struct bp_err *err) BP_MUST;
/*
 * A row group: begin, then each column in order once it is finished, then end.
 *
 * column: writes its pages, those in store first, and keeps what is known of it. end: writes
 * all Bloom filters, and makes the page indexes.
 */
int bp_pq_footer_begin(struct bp_pq_footer *f, int64_t n_rows, struct bp_err *err) BP_MUST;
int bp_pq_footer_column(struct bp_pq_footer *f, int column, struct bp_outfile *out,
                        struct bp_pq_encoded *chunk /* emptied */, const struct bp_pq_store *store,
                        struct bp_err *err) BP_MUST;
int bp_pq_footer_end(struct bp_pq_footer *f, struct bp_outfile *out, struct bp_ctx *ctx,
                     struct bp_err *err) BP_MUST;
/* Page indexes, footer, magic. */
int bp_pq_footer_write(struct bp_pq_footer *f, struct bp_outfile *out, struct bp_err *err) BP_MUST;
void bp_pq_footer_release(struct bp_pq_footer *f);

/* schema_write.c: field 2 of FileMetaData. */
void bp_pq_put_schema(struct bp_thrift_out *t, const struct bp_schema *schema);

#endif
