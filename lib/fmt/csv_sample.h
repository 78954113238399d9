/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of some rows of the inputs, before they are read: of a file some pieces, spread over
 * it, of a stream its beginning, which stays peeked. A row that is not plain ends its piece.
 */
#ifndef BP_FMT_CSV_SAMPLE_H
#define BP_FMT_CSV_SAMPLE_H

#include "fmt/csv_reader.h"

struct csv_sample {
    const struct csv_reader *r;
    bool *wants; /* [n_cols]: the fields of which columns; the caller's, freed here */
    /* Column c of a row: quotes off, CR and null text too. 16 bytes are readable. */
    void (*field)(void *ctx, int c, const uint8_t *p, size_t n, bool quoted);
    void *ctx;
    int64_t bytes; /* of the input that was read last, how many were looked at */
    int64_t rows;  /* before the one at hand, of all inputs */
    /* inside */
    const struct csv_file *file;
    struct csv_scan scan;
    size_t idx_cap;
    size_t seen_bytes; /* of the last piece: up to the last row that was plain and whole */
    bool odd;          /* the row behind them is not plain */
};

/* About n_bytes of f. */
int csv_sample_read(struct csv_sample *m, struct csv_file *f, size_t n_bytes,
                    struct bp_err *err) BP_MUST;
void csv_sample_release(struct csv_sample *m);

#endif
