/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are looked at twice: in memory as far as the budget goes, then on disk. */
#ifndef BP_TOOL_TWICE_H
#define BP_TOOL_TWICE_H

#include "flow/flow.h"

struct bp_twice;

int bp_twice_open(struct bp_twice **out, const struct bp_schema *schema, struct bp_ctx *ctx,
                  struct bp_err *err) BP_MUST;
/* b stays the caller's. All are kept before the first bp_twice_next(). */
int bp_twice_keep(struct bp_twice *t, const struct bp_batch *b, struct bp_err *err) BP_MUST;
/* The same rows in the same order, once; BP_DONE. */
int bp_twice_next(struct bp_twice *t, struct bp_batch *out, struct bp_err *err) BP_MUST;
void bp_twice_free(struct bp_twice *t); /* NULL is a no-op */

#endif
