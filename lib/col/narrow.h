/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole numbers in as few bytes as their values take: 1, 2, 4, 8 or 16, the low ones of
 * two's complement, so that sign extension gives the value back. Most columns of real tables
 * need far fewer bytes than their type has: a decimal of cents 2 to 4 of 16.
 */
#ifndef BP_COL_NARROW_H
#define BP_COL_NARROW_H

#include "col/column.h"

/* Can values of the type do with fewer bytes? */
bool bp_type_narrows(struct bp_type t);
/* The least width for all values of c. A float or an interval has the width of its type.
 * Not for booleans and text. */
size_t bp_narrow_width(const struct bp_column *c);

/* Values of `wide` bytes at vals, one behind the other, go to rows: the first to `to`, each
 * next one row_bytes further, in `narrow` bytes. */
void bp_narrow_put(const uint8_t *vals, size_t wide, size_t narrow, int64_t n, uint8_t *to,
                   size_t row_bytes);
/* Values of `narrow` bytes, one behind the other, get `wide`. */
void bp_narrow_widen(const uint8_t *from, size_t narrow, size_t wide, int64_t n, uint8_t *vals);
/* From rows: what is at byte `at` of rows[0, n). */
void bp_narrow_get(const uint8_t *const rows[], size_t at, size_t narrow, size_t wide, int64_t n,
                   uint8_t *vals);

#endif
