/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pages of a column became, until batches are cut from it: one piece a page,
 * ascending, maybe with gaps where nobody wants a row. Rows are those of the file, from 0.
 *
 * A list may go on from page to page: a row belongs to the piece in which it begins, and is
 * complete when the next one begins or its row group ends. Zero-initialise.
 */
#ifndef BP_FMT_PARQUET_PIECE_H
#define BP_FMT_PARQUET_PIECE_H

#include "fmt/parquet/assemble.h"

struct bp_pq_piece {
    struct bp_column col;
    struct bp_pq_levels levels; /* of a nested column */
    int64_t first_row;          /* the first that begins here; -1: not known yet */
    int64_t n_rows;             /* -1: not known yet */
    int group;
    bool whole; /* its last row does not go on behind it */
    bool last;  /* of its row group */
};

struct bp_pq_pieces {
    struct bp_pq_piece *items;
    int n, cap;
};

void bp_pq_piece_release(struct bp_pq_piece *p);
/* p is taken over, also on error. Its rows are known. */
int bp_pq_pieces_add(struct bp_pq_pieces *s, struct bp_pq_piece *p, struct bp_err *err) BP_MUST;
/* How many rows from this one on are there, complete and without a gap. */
int64_t bp_pq_pieces_cover(const struct bp_pq_pieces *s, int64_t row);
/* How many of them a batch of n rows had best take: all that the first piece has, which
 * costs no copy, where it is long; else n, or as many pieces as are put together. Of lists
 * fewer, where they are long. */
int64_t bp_pq_pieces_reach(const struct bp_pq_pieces *s, int64_t row, int64_t n, int64_t long_rows);
/* Entries of nested pieces with this row and those behind it. */
int64_t bp_pq_pieces_entries(const struct bp_pq_pieces *s, int64_t row);
/* n of them, of a flat column. */
int bp_pq_pieces_cut(const struct bp_pq_pieces *s, int64_t row, int64_t n, struct bp_column *out,
                     struct bp_err *err) BP_MUST;
/* n of them, of a nested one; out borrows from the pieces. */
int bp_pq_pieces_shred(const struct bp_pq_pieces *s, const struct bp_pq_column *column, int64_t row,
                       int64_t n, struct bp_pq_shred *out, struct bp_err *err) BP_MUST;
/* Rows before this one are not cut any more. */
void bp_pq_pieces_drop(struct bp_pq_pieces *s, int64_t row);
void bp_pq_pieces_release(struct bp_pq_pieces *s);

#endif
