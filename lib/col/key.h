/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of rows: the documented partition hash, equality and order.
 *
 * Per column XXH3-64(class byte, canonical bytes); several columns: XXH3-64 of
 * those hashes, little-endian. Classes: 0 null; 1 boolean; 2 exact number
 * (integers and decimals; trailing zeros after the point stripped; then int64
 * if that is a whole number that fits, else uint128 magnitude, uint8 scale,
 * uint8 sign); 3 float (widened to 64 bits; -0 = 0; one NaN); 4 text; 5 binary;
 * 6 date, int32 days; 7 time, int64 ns; 8 naive timestamp, 9 instant: int64
 * seconds, uint32 ns; 10 interval: months, days, ns. No columns: hash 0.
 * Test vectors: bp-stage(5).
 */
#ifndef BP_COL_KEY_H
#define BP_COL_KEY_H

#include "col/column.h"

/* BP_EUSAGE that names the column where it is a list or a struct: bp_key_hash(),
 * _equal and _compare take those (class 11 or 12 and the hashes of what is in
 * them: fingerprints), but no table is split, grouped, joined or sorted by them. */
int bp_key_allowed(struct bp_type t, const char *name, struct bp_err *err) BP_MUST;
/* The class of a type (never 0). */
int bp_key_class(struct bp_type t);
#define BP_KEY_BYTES_MAX 19
/* Class byte and canonical bytes of a value that is not text or binary (null: one
 * byte 0). Returns the length. */
size_t bp_key_bytes(const struct bp_column *c, int64_t row, uint8_t out[BP_KEY_BYTES_MAX]);
/* out[i] = hash of row i of cols. Vectorised; dictionaries are hashed once. */
int bp_key_hash(const struct bp_column *const cols[], int n_cols, int64_t n_rows, uint64_t *out,
                struct bp_err *err) BP_MUST;
/* Partition of a hash: high 64 bits of hash x parts. */
static inline uint32_t bp_key_part(uint64_t hash, uint32_t parts)
{
    return (uint32_t)(((bp_uint128)hash * parts) >> 64);
}
/* Equal as group keys: NULL = NULL, -0 = 0, NaN = NaN; types within one class. */
bool bp_key_equal(const struct bp_column *a, int64_t ra, const struct bp_column *b, int64_t rb);
/* By class, then canonical bytes (memcmp): the order of ties in bp-reduce. */
int bp_key_compare_bytes(const struct bp_column *a, int64_t ra, const struct bp_column *b,
                         int64_t rb);
/* SQL order of two values that are not null, types within one class: numbers
 * by value with NaN above all, text by bytes, false < true. */
int bp_value_compare(const struct bp_column *a, int64_t ra, const struct bp_column *b, int64_t rb);

#endif
