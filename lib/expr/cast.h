/* SPDX-License-Identifier: Apache-2.0 */
/* Casts, one file per family; each looks a pair of types up in its own tables and
 * fills run, param, fallible (type is set by the caller). */
#ifndef BP_EXPR_CAST_H
#define BP_EXPR_CAST_H

#include "expr/bind.h"

bool bp_cast_number(struct bp_type from, struct bp_type to, struct bp_call *c); /* cast_number.c */
bool bp_cast_moment(struct bp_type from, struct bp_type to, struct bp_call *c); /* cast_moment.c */
bool bp_cast_text(struct bp_type from, struct bp_type to, struct bp_call *c);   /* cast_text.c */

/* The text of a decimal number of any length -> value and the scale it needs.
 * enum bp_text_status. */
int bp_decimal_parse_any(const char *s, size_t n, bp_int128 *v, int *scale);

/* Row i of a, of any type, is no value of the node's type. */
int bp_cast_fail(struct bp_run *r, int64_t i, const struct bp_vec *a, bool range) BP_MUST;
/* The value at row i as a message shows it: text quoted, cut. */
void bp_show_value(const struct bp_column *c, int64_t i, char *out, size_t cap);

/* v units -> another unit: finer saturates if asked, else *bad. Coarser rounds half
 * away from 2000-01-01, as PostgreSQL does. */
int64_t bp_change_unit(int64_t v, int from, int to, bool *bad);

#endif
