/* SPDX-License-Identifier: Apache-2.0 */
/* A column chunk as it goes to a file: its encoded pages, and what is known of them. */
#ifndef BP_FMT_PARQUET_ENCODED_H
#define BP_FMT_PARQUET_ENCODED_H

#include "base/buf.h"
#include "base/chain.h"
#include "fmt/parquet/range.h"

struct bp_pq_page_fact {
    int64_t offset; /* in the chunk's data pages */
    int64_t n_bytes, first_row, n_rows;
    int64_t n_values, n_nulls; /* values: entries of a list, nulls among them */
    struct bp_pq_range range;
};

/* Zero-initialise. */
struct bp_pq_encoded {
    struct bp_chain pages;
    int64_t moved_bytes; /* of finished pages that were taken from `pages` before */
    struct bp_buf dict_page, filter_page;
    struct bp_pq_page_fact *facts;
    int n_facts, cap_facts;
    int n_dict_pages, n_plain_pages;
    int64_t n_rows, n_values, n_nulls, raw_bytes;
    struct bp_pq_range range;
};

void bp_pq_encoded_release(struct bp_pq_encoded *c);
void bp_pq_page_facts_free(struct bp_pq_page_fact *facts, int n);

#endif
