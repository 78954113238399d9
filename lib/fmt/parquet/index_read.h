/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page index of a column chunk (PageIndex.md): where its data pages lie, and what
 * is known of the values of each. It serves speed alone: one that cannot be right, or
 * is very long, is taken as not there. Where it led to a page, that page must be as it
 * says, else the rows before it may be lost: that is an error (want.c).
 */
#ifndef BP_FMT_PARQUET_INDEX_READ_H
#define BP_FMT_PARQUET_INDEX_READ_H

#include "col/column.h"
#include "fmt/parquet/format.h"

struct bp_pq_place {
    int64_t offset, n_bytes; /* in the file, header included */
    int64_t first_row;       /* in the row group */
};

struct bp_pq_places {
    struct bp_pq_place *items; /* of data pages, ascending */
    int n;
};

#define BP_PQ_PAGE_FACTS_BYTES 1024 /* that one page takes, about */

struct bp_pq_page_facts {
    int n;
    struct bp_column *low, *high; /* one row each; NULL: not known */
    uint8_t *nulls;               /* enum bp_nulls */
};

/* 0, BP_DONE (there is none that can be used), or < 0. n_rows: of the row group. */
int bp_pq_places_read(const struct bp_pq_file *f, const struct bp_pq_chunk *c, int64_t n_rows,
                      struct bp_pq_places *out, struct bp_err *err) BP_MUST;
void bp_pq_places_release(struct bp_pq_places *p);
/* The last page that begins at or before this row. */
int bp_pq_places_find(const struct bp_pq_places *p, int64_t row);

int bp_pq_page_facts_read(const struct bp_pq_file *f, const struct bp_pq_column *column,
                          const struct bp_pq_chunk *c, int n_pages, struct bp_pq_page_facts *out,
                          struct bp_err *err) BP_MUST;
void bp_pq_page_facts_release(struct bp_pq_page_facts *p);

#endif
