/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The present values of a page in the form their physical type has, without gaps for
 * nulls: fixed widths one behind the other, booleans as bits, texts as offsets and
 * bytes. One function an encoding. Not for dictionary codes (hybrid.h).
 */
#ifndef BP_FMT_PARQUET_VALUES_H
#define BP_FMT_PARQUET_VALUES_H

#include "base/mem.h"
#include "fmt/parquet/page.h"

struct bp_pq_texts {
    struct bp_block *offsets; /* int32, n + 1 of them */
    struct bp_block *bytes;
};

static inline int32_t *bp_pq_offsets(const struct bp_pq_texts *t)
{
    return (int32_t *)(void *)t->offsets->data;
}

/* Room for n values of n_bytes altogether; what is there stays. */
int bp_pq_texts_reserve(struct bp_pq_texts *t, int64_t n, size_t n_bytes,
                        struct bp_err *err) BP_MUST;
void bp_pq_texts_release(struct bp_pq_texts *t);

/* A page claims what its values take, and few bytes may stand for many: BP_EDATA where
 * n of width bytes each are more than the page may have. */
int bp_pq_values_room(const struct bp_pq_page *page, int64_t n, int64_t width,
                      struct bp_err *err) BP_MUST;
/* INT32, INT64, INT96, FLOAT, DOUBLE, FIXED: n values of column->fixed_bytes -> out. */
int bp_pq_values_fixed(const struct bp_pq_column *column, const struct bp_pq_page *page, int64_t n,
                       uint8_t *out, struct bp_err *err) BP_MUST;
/* BOOLEAN: n bits -> out, from bit 0. */
int bp_pq_values_bits(const struct bp_pq_page *page, int64_t n, uint8_t *out,
                      struct bp_err *err) BP_MUST;
/* BYTES. */
int bp_pq_values_texts(const struct bp_pq_page *page, int64_t n, struct bp_pq_texts *out,
                       struct bp_err *err) BP_MUST;

#endif
