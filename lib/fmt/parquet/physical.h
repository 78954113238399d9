/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which physical type the values of a column are written as, and how they compare:
 * what every part of the writer needs to know of a type. Decimals of up to 9 and 18
 * digits are int32 and int64, longer ones as few bytes as hold them.
 */
#ifndef BP_FMT_PARQUET_PHYSICAL_H
#define BP_FMT_PARQUET_PHYSICAL_H

#include "col/column.h"
#include "fmt/parquet/format.h"

enum bp_pq_order { /* of values in memory, as struct bp_pq_values has them */
                   BP_PQ_SIGNED,
                   BP_PQ_UNSIGNED,
                   BP_PQ_FLOAT32,
                   BP_PQ_FLOAT64,
                   BP_PQ_BYTES_UP,   /* unsigned bytes, the shorter first */
                   BP_PQ_BIG_ENDIAN, /* two's complement, all of one length */
                   BP_PQ_NO_ORDER,
};

struct bp_pq_layout {
    struct bp_type type;
    enum bp_pq_physical physical;
    int width; /* bytes of a value; 0: BOOLEAN, BYTES */
    enum bp_pq_order order;
};

void bp_pq_layout(struct bp_type t, struct bp_pq_layout *out);

/* The present values of some rows in physical form. */
struct bp_pq_words {
    int64_t n;
    /* widths 4 and 8, booleans: sign- or zero-extended, floats by their bits */
    uint64_t *words;
    /* else: value i is bytes[offsets[i], offsets[i + 1]) */
    const uint8_t *bytes;
    const int32_t *offsets;
    struct bp_buf words_mem, bytes_mem, offsets_mem;
};

/* Rows [0, n_rows) of c, which is not dictionary-encoded. */
int bp_pq_to_words(const struct bp_pq_layout *l, const struct bp_column *c, struct bp_pq_words *out,
                   struct bp_err *err) BP_MUST;
void bp_pq_words_release(struct bp_pq_words *w);

#endif
