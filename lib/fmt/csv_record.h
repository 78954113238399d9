/* SPDX-License-Identifier: Apache-2.0 */
/* libcsv as the slow path of the CSV reader uses it. */
#ifndef BP_FMT_CSV_RECORD_H
#define BP_FMT_CSV_RECORD_H

#include <csv.h>

#include "fmt/csv_reader.h"

struct csv_splitter {
    struct csv_parser lib;
    const struct csv_dialect *d;
    bool fresh;  /* the next byte is the first of a field */
    bool quoted; /* the field begun has a quote as its first byte */
    struct csv_record rec;
    bool ended;         /* the record is complete */
    struct bp_err *err; /* a callback ran out of memory */
};

int csv_splitter_open(struct csv_splitter *p, const struct csv_dialect *d,
                      struct bp_err *err) BP_MUST;
void csv_splitter_close(struct csv_splitter *p);
/* s[0, n), n > 0, is a piece as csv_piece_len() cuts it. */
int csv_splitter_feed(struct csv_splitter *p, const uint8_t *s, size_t n,
                      struct bp_err *err) BP_MUST;
/* The end of the file. BP_DONE: a quote is not closed. */
int csv_splitter_finish(struct csv_splitter *p, struct bp_err *err) BP_MUST;
/* Up to and with the next CR or LF; where fields are compared, or delimiter: so
 * that what ends, ends with a piece. */
size_t csv_piece_len(const struct csv_dialect *d, const uint8_t *p, size_t n);
/* s NULL: empty and not quoted. */
int csv_record_add(struct csv_record *rec, const void *s, size_t n, struct bp_err *err) BP_MUST;

#endif
