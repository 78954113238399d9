/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value of any type as bytes, and back: what array_agg keeps and its states hold.
 *
 *     value   0: NULL; else 1 and
 *             fixed widths: the bytes of column.h (booleans: one byte)
 *             text, bytea: length (uint32), bytes
 *             lists: number of elements (uint32), values; structs: a value a field
 *
 * All little-endian. Bytes from outside are checked as they are read.
 */
#ifndef BP_AGG_VALUE_H
#define BP_AGG_VALUE_H

#include "base/buf.h"
#include "col/column.h"

/* Row i of c, NULL or not, appended to out. */
int bp_agg_value_put(const struct bp_column *c, int64_t i, struct bp_buf *out,
                     struct bp_err *err) BP_MUST;
/* p[0, end) is one value of type t, whole, and its text UTF-8. */
bool bp_agg_value_is_good(struct bp_type t, const uint8_t *p, const uint8_t *end);
/* A good value -> the builder of its type. */
int bp_agg_value_get(struct bp_builder *b, const uint8_t *p, struct bp_err *err) BP_MUST;

#endif
