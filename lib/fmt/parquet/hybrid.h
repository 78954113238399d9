/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RLE / bit-packing hybrid (Encodings.md, "RLE = 3"): runs of one value, and runs of
 * values packed into bits, LSB first, in groups of eight. Levels, dictionary codes and
 * booleans are written so. BP_BLOCK_PAD_BYTES behind the input may be read.
 */
#ifndef BP_FMT_PARQUET_HYBRID_H
#define BP_FMT_PARQUET_HYBRID_H

#include <stdint.h>

#include "base/buf.h"

/* Bits that a value below n needs; 0 for n <= 1. */
int bp_pq_width(uint32_t n);

/* in[0, n_bytes) -> out[0, n). Every value must be below `below`. */
int bp_pq_hybrid_codes(const uint8_t *in, size_t n_bytes, int width, uint32_t below, int32_t *out,
                       int64_t n, struct bp_err *err) BP_MUST;
/* One bit a value -> bits from out_from on; *n_set counts the ones. */
int bp_pq_hybrid_bits(const uint8_t *in, size_t n_bytes, uint8_t *out, int64_t out_from, int64_t n,
                      int64_t *n_set, struct bp_err *err) BP_MUST;
/* The older BIT_PACKED levels of one bit: MSB first, no runs. */
int bp_pq_packed_bits(const uint8_t *in, size_t n_bytes, uint8_t *out, int64_t n, int64_t *n_set,
                      struct bp_err *err) BP_MUST;
/* n values of width 0..64 bits, LSB first -> out. */
void bp_pq_unpack_bits(const uint8_t *in, int width, uint64_t *out, int64_t n);

#endif
