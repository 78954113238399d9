/* SPDX-License-Identifier: Apache-2.0 */
/* Physical values -> values of the column's type (LogicalTypes.md), value by value. */
#ifndef BP_FMT_PARQUET_CONVERT_H
#define BP_FMT_PARQUET_CONVERT_H

#include "fmt/parquet/values.h"

/* in: n values of column->fixed_bytes; out: n of bp_type_width_bytes(column->type).
 * Not for AS_IS, FIXED_BYTES, BYTES_DEC. */
int bp_pq_convert_fixed(const struct bp_pq_column *column, const uint8_t *in, int64_t n, void *out,
                        struct bp_err *err) BP_MUST;
/* BYTES_DEC: big-endian two's complement of any length -> decimals. */
int bp_pq_convert_bytes(const struct bp_pq_column *column, const struct bp_pq_texts *in, int64_t n,
                        void *out, struct bp_err *err) BP_MUST;

#endif
