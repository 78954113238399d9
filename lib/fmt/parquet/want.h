/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column of the file that somebody wants, on its way: which page comes next, and the
 * pieces that pages became. Pages in which nobody wants a row are passed over.
 *
 * Of a flat column a page has as many rows as values. Of a column in a list (max_rep > 0)
 * it is known only when its levels are decoded, unless the page index says it: such pages
 * are read in order, none is passed over, and `row` follows behind what came back.
 */
#ifndef BP_FMT_PARQUET_WANT_H
#define BP_FMT_PARQUET_WANT_H

#include "fmt/parquet/decode.h"
#include "fmt/parquet/index_read.h"
#include "fmt/parquet/piece.h"
#include "fmt/parquet/stretch.h"

struct bp_pq_want {
    const struct bp_pq_file *file;
    const struct bp_pq_column *column;
    int leaf;
    bool leads;  /* a condition is judged by it */
    int64_t row; /* pages before it were given out, or passed over; in a list: rows before
                  * it are there, or all pages of their group were given out */

    int group; /* whose pages are open; -1: none */
    struct bp_pq_pages pages;
    struct bp_pq_dict *dict;
    bool looked;                /* for the group's places */
    struct bp_pq_places places; /* n == 0: none */

    int64_t given_values; /* of the group, in pages */
    int64_t next_row;     /* begins behind the pieces that came back */
    int n_flying;         /* pages that were given out and did not come back */
    struct bp_pq_pieces pieces;
};

void bp_pq_want_init(struct bp_pq_want *w, const struct bp_pq_file *f, int leaf);
/* The page with the first row of the stretch that was not given out, and what is known of
 * the piece that it will be. most_bytes: what the values of a page may take. */
int bp_pq_want_page(struct bp_pq_want *w, const struct bp_pq_stretch *s, int64_t most_bytes,
                    struct bp_pq_scratch *scratch, struct bp_pq_raw *out, struct bp_pq_piece *piece,
                    struct bp_err *err) BP_MUST;
/* A page came back as this piece, in the order given out; it is taken over, also on error. */
int bp_pq_want_keep(struct bp_pq_want *w, struct bp_pq_piece *piece, struct bp_err *err) BP_MUST;
/* Enough pages are on their way. */
bool bp_pq_want_waits(const struct bp_pq_want *w);
/* What a page takes when it is decoded, as far as its header says. */
int64_t bp_pq_want_bytes(const struct bp_pq_want *w, const struct bp_pq_raw *raw);
void bp_pq_want_release(struct bp_pq_want *w);

#endif
