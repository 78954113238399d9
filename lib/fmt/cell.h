/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value as a person sees it on a terminal: one line of UTF-8 that moves no
 * cursor. Control characters, characters that change the direction of text and
 * bytes that are no UTF-8 are written as escapes (\n, \x1b, \u202e); what is
 * too wide is cut and ends with an ellipsis.
 */
#ifndef BP_FMT_CELL_H
#define BP_FMT_CELL_H

#include "base/buf.h"
#include "col/column.h"

/* Append s[0, n) in that form. *width is what was appended, in columns, at most
 * max_width (0: no limit). Running it again over its own output changes nothing,
 * but for a smaller max_width. */
int bp_cell_text(struct bp_buf *out, const void *s, size_t n, int max_width, int64_t *width,
                 struct bp_err *err) BP_MUST;
/* The same for row i of c, which must not be null. Text that reads NULL is quoted. */
int bp_cell_value(struct bp_buf *out, const struct bp_column *c, int64_t i, int max_width,
                  int64_t *width, struct bp_err *err) BP_MUST;

#endif
