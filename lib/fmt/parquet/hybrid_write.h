/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the RLE / bit-packing hybrid (hybrid.h), appended to a bp_buf. */
#ifndef BP_FMT_PARQUET_HYBRID_WRITE_H
#define BP_FMT_PARQUET_HYBRID_WRITE_H

#include "base/buf.h"

/* n codes below 2^width; a run of eight or more equal ones is written as a run. */
int bp_pq_put_codes(struct bp_buf *out, const int32_t *codes, int64_t n, int width,
                    struct bp_err *err) BP_MUST;
/* n bits from bits[0]; NULL: n ones. */
int bp_pq_put_bits(struct bp_buf *out, const uint8_t *bits, int64_t n, struct bp_err *err) BP_MUST;

#endif
