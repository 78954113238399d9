/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value as bytes that order as values do (memcmp, then length): in the states of
 * aggregates that keep values. Numbers big-endian with the sign flipped; floats as
 * doubles, NaN on top, -0 as 0; intervals by their length first; text as it is.
 */
#ifndef BP_AGG_CODE_H
#define BP_AGG_CODE_H

#include "col/column.h"

#define BP_AGG_CODE_MAX 32

/* Bytes of a value's code; 0: text or binary, as long as it is. */
size_t bp_agg_code_bytes(struct bp_type t);
/* The code of value i, that is not NULL: in room, or, of text, where it lies. */
const uint8_t *bp_agg_code(const struct bp_column *c, int64_t i, uint8_t room[BP_AGG_CODE_MAX],
                           size_t *n);
/* Types whose code is 8 bytes: of each row, as a number. */
void bp_agg_codes64(const struct bp_column *c, uint64_t *to);
double bp_agg_code64_number(struct bp_type t, uint64_t code);
/* True if n bytes at p can be a code of type t. */
bool bp_agg_code_is_good(struct bp_type t, const uint8_t *p, size_t n);
/* Adds a good code's value; the builder is of type t. */
int bp_agg_code_add(struct bp_builder *b, const uint8_t *p, size_t n, struct bp_err *err) BP_MUST;
int bp_agg_code_compare(const uint8_t *a, size_t na, const uint8_t *b, size_t nb);

#endif
