/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches whose whole numbers take as few bytes as their values need (col/narrow.h): dates,
 * timestamps and decimals become integers of 1, 2, 4 or 8 bytes, and come back by the type that
 * they had. Everything else stays as it is. A width of 0 stands for a column that is not narrowed,
 * or that no value has been seen of.
 */
#ifndef BP_STAGE_NARROWED_H
#define BP_STAGE_NARROWED_H

#include "col/column.h"

/* Each of widths grows to what its column of in needs. */
void bp_narrowed_widths(const struct bp_batch *in, uint8_t *widths);
/* The columns of from with these widths. */
int bp_narrowed_schema(struct bp_schema *out, const struct bp_schema *from, const uint8_t *widths,
                       struct bp_err *err) BP_MUST;
/* in, whose values fit, with these widths; shares what is not narrowed. */
int bp_narrowed_batch(struct bp_batch *out, const struct bp_batch *in, const uint8_t *widths,
                      struct bp_err *err) BP_MUST;
/* b, one of those, gets the types of schema back. */
int bp_narrowed_back(struct bp_batch *b, const struct bp_schema *schema,
                     struct bp_err *err) BP_MUST;

#endif
