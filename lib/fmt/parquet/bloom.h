/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split-block Bloom filters (BloomFilter.md), both ways: which values a column chunk
 * surely lacks. A value is hashed as its PLAIN bytes, without the length of texts.
 */
#ifndef BP_FMT_PARQUET_BLOOM_H
#define BP_FMT_PARQUET_BLOOM_H

#include "fmt/parquet/physical.h"

/* ---- reading ---- */

/* value: one row of the column's type. True: no row of the chunk has it. */
bool bp_pq_bloom_lacks(const struct bp_pq_file *f, const struct bp_pq_column *column,
                       const struct bp_pq_chunk *c, const struct bp_column *value);

/* ---- writing ---- */

struct bp_pq_bloom {
    uint8_t *blocks;   /* n_blocks of 32 bytes; NULL: not begun */
    uint32_t n_blocks; /* a power of two */
    uint32_t at_most;  /* blocks that a chunk of the most rows begins with */
};

/* Blocks for a chunk of at most so many values. Zeroed before; no allocation. */
void bp_pq_bloom_init(struct bp_pq_bloom *b, int64_t n_values);
int64_t bp_pq_bloom_bytes(const struct bp_pq_bloom *b); /* of memory, once begun */
int bp_pq_bloom_add(struct bp_pq_bloom *b, const struct bp_pq_layout *l,
                    const struct bp_pq_words *w, struct bp_err *err) BP_MUST;
/* Header and blocks, as few as the values that were met need. Empty again after it. */
int bp_pq_bloom_put(struct bp_pq_bloom *b, struct bp_buf *out, struct bp_err *err) BP_MUST;
void bp_pq_bloom_release(struct bp_pq_bloom *b);

#endif
