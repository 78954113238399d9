/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column that somebody wants, on its way from the file: which page comes next, and
 * the pieces that pages became, until batches are cut from them. Rows are those of
 * the file, from 0; pages in which nobody wants a row are passed over, so pieces
 * may have gaps between them.
 */
#ifndef BP_FMT_PARQUET_WANT_H
#define BP_FMT_PARQUET_WANT_H

#include "fmt/parquet/decode.h"
#include "fmt/parquet/index_read.h"
#include "fmt/parquet/stretch.h"

struct bp_pq_piece {
    struct bp_column col;
    int64_t first_row;
};

struct bp_pq_want {
    const struct bp_pq_file *file;
    const struct bp_pq_column *column;
    int leaf;
    bool leads;  /* a condition is judged by it */
    int64_t row; /* pages before it were given out, or passed over */

    int group; /* whose pages are open; -1: none */
    struct bp_pq_pages pages;
    struct bp_pq_dict *dict;
    bool looked;                /* for the group's places */
    struct bp_pq_places places; /* n == 0: none */

    struct bp_pq_piece *pieces; /* decoded, ascending */
    int n_pieces, cap_pieces;
};

void bp_pq_want_init(struct bp_pq_want *w, const struct bp_pq_file *f, int leaf);
/* The page with the first row of the stretch that was not given out; *first_row: its own
 * first. most_bytes: what the values of a page may take. */
int bp_pq_want_page(struct bp_pq_want *w, const struct bp_pq_stretch *s, int64_t most_bytes,
                    struct bp_pq_scratch *scratch, struct bp_pq_raw *out, int64_t *first_row,
                    struct bp_err *err) BP_MUST;
/* What a page takes when it is decoded, as far as its header says. */
int64_t bp_pq_want_bytes(const struct bp_pq_want *w, const struct bp_pq_raw *raw);
void bp_pq_want_release(struct bp_pq_want *w);

/* ---- pieces ---- */

/* col is taken over, also on error. */
int bp_pq_want_keep(struct bp_pq_want *w, struct bp_column *col, int64_t first_row,
                    struct bp_err *err) BP_MUST;
/* How many rows from this one on are there without a gap. */
int64_t bp_pq_want_covers(const struct bp_pq_want *w, int64_t row);
/* How many of them a batch of n rows had best take: all that the first piece has, which
 * costs no copy, where it is long; else n, or as many pieces as are put together. */
int64_t bp_pq_want_reach(const struct bp_pq_want *w, int64_t row, int64_t n, int64_t long_rows);
/* n of them. */
int bp_pq_want_cut(const struct bp_pq_want *w, int64_t row, int64_t n, struct bp_column *out,
                   struct bp_err *err) BP_MUST;
/* Rows before this one are not cut any more. */
void bp_pq_want_drop(struct bp_pq_want *w, int64_t row);

#endif
