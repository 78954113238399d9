/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole numbers in as few bytes as their values take: 1, 2, 4, 8 or 16, the low ones of
 * two's complement, so that sign extension gives the value back. Most columns of real tables
 * need far fewer bytes than their type has: a decimal of cents 2 to 4 of 16.
 */
#ifndef BP_OP_SORT_WIDTH_H
#define BP_OP_SORT_WIDTH_H

#include "col/column.h"

/* The least width for all values of c. A float or an interval has the width of its type.
 * Not for booleans and text. */
size_t bp_sort_width(const struct bp_column *c);

/* Values of `wide` bytes at vals, one behind the other, go to rows: the first to `to`, each
 * next one row_bytes further, in `narrow` bytes. */
void bp_sort_width_put(const uint8_t *vals, size_t wide, size_t narrow, int64_t n, uint8_t *to,
                       size_t row_bytes);
/* And back: what is at byte `at` of rows[0, n). */
void bp_sort_width_get(const uint8_t *const rows[], size_t at, size_t narrow, size_t wide,
                       int64_t n, uint8_t *vals);

#endif
