/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and schemas for people. */
#ifndef BP_FMT_SHOW_H
#define BP_FMT_SHOW_H

#include "flow/flow.h"

struct bp_show_opts {
    int64_t n_rows; /* show the first n; < 0: all */
    bool expanded;  /* one line a column (-x) */
    bool color;     /* dim nulls and types */
    int width_cols; /* of the terminal; 0: unlimited */
    int max_cell;   /* wide text is cut to this many columns; 0: never */
};
/* Pulls what it shows from src and renders it into out as UTF-8. Stops pulling
 * when it has n_rows (plus the knowledge whether there are more). */
int bp_show_table(struct bp_source *src, const struct bp_show_opts *opts, struct bp_buf *out,
                  struct bp_err *err) BP_MUST;
/* As Spark's printSchema: "root\n |-- a: integer (nullable = true)\n". */
int bp_show_schema_tree(const struct bp_schema *s, struct bp_buf *out, struct bp_err *err) BP_MUST;
int bp_show_schema_json(const struct bp_schema *s, struct bp_buf *out, struct bp_err *err) BP_MUST;
/* A JSON string with its quotes (RFC 8259); what is no UTF-8 becomes U+FFFD. */
int bp_show_json_text(const uint8_t *p, size_t n, struct bp_buf *out, struct bp_err *err) BP_MUST;

/* The rows of a table that is read twice. */
struct bp_show_twice {
    int (*keep)(void *arg, const struct bp_batch *b, struct bp_err *err); /* b stays the caller's */
    int (*next)(void *arg, struct bp_batch *out, struct bp_err *err);   /* in that order; BP_DONE */
    int (*put)(void *arg, const void *p, size_t n, struct bp_err *err); /* of the text */
    void *arg;
};
/* All of src, whatever its size, in the memory of a batch: the widths are those of all
 * rows, which are kept for a second look. opts->n_rows does not count. */
int bp_show_all(struct bp_source *src, const struct bp_show_opts *opts,
                const struct bp_show_twice *twice, struct bp_err *err) BP_MUST;

#endif
