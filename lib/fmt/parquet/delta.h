/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY (Encodings.md 5 to 7).
 * BP_BLOCK_PAD_BYTES behind the input may be read.
 */
#ifndef BP_FMT_PARQUET_DELTA_H
#define BP_FMT_PARQUET_DELTA_H

#include "fmt/parquet/values.h"

/* n integers of width 4 or 8 bytes -> out; *used: how many bytes they took. */
int bp_pq_delta_ints(const uint8_t *in, size_t n_bytes, int width_bytes, void *out, int64_t n,
                     size_t *used, struct bp_err *err) BP_MUST;
int bp_pq_delta_lengths(const uint8_t *in, size_t n_bytes, struct bp_pq_texts *out, int64_t n,
                        struct bp_err *err) BP_MUST;
/* page->values; shared beginnings may make much of few bytes. */
int bp_pq_delta_texts(const struct bp_pq_page *page, struct bp_pq_texts *out, int64_t n,
                      struct bp_err *err) BP_MUST;

#endif
