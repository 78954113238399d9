/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows to CSV text, column by column. A block of rows is made into cells, pointers to
 * the text of each value: numbers and times are formatted into slots of a fixed size
 * by one loop per column; text that needs no quotes is pointed at where it stands; what
 * is rare is made in a side buffer. Then the cells are copied, row by row, into the
 * output, 16 bytes at a time.
 */
#ifndef BP_FMT_CSV_CELLS_H
#define BP_FMT_CSV_CELLS_H

#include "col/column.h"

struct csv_text { /* how values are written; owned by the sink */
    char delim;
    const char *null_text;
    size_t null_len;
    bool special[256]; /* bytes for which a value is quoted */
    bool plain_values; /* numbers, dates and the like never need quotes */
};

struct csv_cells;

/* One for each thread; text must outlive it. */
int csv_cells_open(struct csv_cells **out, const struct csv_text *text, int n_cols,
                   struct bp_err *err) BP_MUST;
/* Appends all rows of b, a line each. */
int csv_cells_append(struct csv_cells *c, const struct bp_batch *b, struct bp_buf *out,
                     struct bp_err *err) BP_MUST;
void csv_cells_free(struct csv_cells *c); /* NULL is a no-op */

/* p[0, n) as a field, quoted if it must be; at most 2 n + 2 bytes. Returns the end. */
uint8_t *csv_put_text(const struct csv_text *t, uint8_t *out, const uint8_t *p, size_t n);

#endif
