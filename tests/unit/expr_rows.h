/* SPDX-License-Identifier: Apache-2.0 */
/* Small tables and their expressions as text, for the tests of lib/expr. */
#ifndef BP_TESTS_EXPR_ROWS_H
#define BP_TESTS_EXPR_ROWS_H

#include <stdlib.h>

#include "col/text.h"
#include "expr/expr.h"
#include "unit.h"

static struct bp_schema rows_schema;
static struct bp_batch rows;

/* cells: rows one after the other, NULL is NULL. */
static inline void rows_make(const char *schema, const char *const *cells, int n_rows)
{
    struct bp_err err = {0};
    bool star;

    NEED(bp_schema_parse(schema, &rows_schema, &star, &err) == 0);
    NEED(bp_batch_init(&rows, rows_schema.n_fields, &err) == 0);
    for (int c = 0; c < rows_schema.n_fields; c++) {
        struct bp_builder b;

        bp_builder_init(&b, rows_schema.fields[c].type);
        for (int r = 0; r < n_rows; r++) {
            const char *s = cells[r * rows_schema.n_fields + c];
            bp_int128 v = 0;

            if (!s)
                NEED(bp_builder_add_null(&b, &err) == 0);
            else if (rows_schema.fields[c].type.kind == BP_TEXT)
                NEED(bp_builder_add_bytes(&b, s, strlen(s), &err) == 0);
            else {
                NEED(bp_text_parse(rows_schema.fields[c].type, s, strlen(s), &v) == BP_TEXT_OK);
                NEED(bp_builder_add(&b, &v, &err) == 0);
            }
        }
        NEED(bp_builder_finish(&b, &rows.cols[c], &err) == 0);
    }
    rows.n_rows = n_rows;
}

static inline void rows_free(void)
{
    bp_batch_release(&rows);
    bp_schema_release(&rows_schema);
}

static const struct bp_var rows_vars[] = {
    {"n", "2"}, {"day", "2020-01-01"}, {"evil", "1) or (true"}};

static inline struct bp_clause rows_clause(const char *text)
{
    return (struct bp_clause){.text = text, .vars = rows_vars, .n_vars = 3};
}

/* The values of text over the rows, "a|b|c", - for NULL; or "! message". */
static inline const char *rows_eval(const char *text)
{
    static char out[4096];
    struct bp_clause c = rows_clause(text);
    struct bp_err err = {0};
    struct bp_expr *e;
    struct bp_column v;
    struct bp_buf b = {0};
    int rc = bp_expr_parse(&c, &rows_schema, &e, &err);

    if (rc >= 0) {
        rc = bp_expr_eval(e, &rows, &v, &err);
        bp_expr_free(e);
    }
    if (rc < 0) {
        snprintf(out, sizeof out, "! %s", err.msg);
        return out;
    }
    for (int64_t i = 0; i < v.n_rows; i++) {
        rc |= i ? bp_buf_puts(&b, "|", &err) : 0;
        rc |=
            bp_column_is_null(&v, i) ? bp_buf_puts(&b, "-", &err) : bp_text_append(&v, i, &b, &err);
    }
    rc |= bp_buf_append(&b, "", 1, &err);
    snprintf(out, sizeof out, "%s", rc == 0 ? (const char *)b.data : err.msg);
    bp_buf_release(&b);
    bp_column_release(&v);
    return out;
}

/* The rows for which text is true: "0 2". */
static inline const char *rows_select(const char *text)
{
    static char out[4096];
    struct bp_clause c = rows_clause(text);
    struct bp_err err = {0};
    struct bp_expr *e;
    int32_t *sel = calloc((size_t)rows.n_rows + 1, sizeof *sel);
    int64_t n = 0;
    size_t len = 0;
    int rc = bp_expr_parse_where(&c, &rows_schema, &e, &err);

    out[0] = '\0';
    if (rc >= 0) {
        rc = bp_expr_select(e, &rows, sel, &n, &err);
        bp_expr_free(e);
    }
    if (rc < 0)
        snprintf(out, sizeof out, "! %s", err.msg);
    for (int64_t i = 0; i < n && rc >= 0 && len < sizeof out - 12; i++)
        len += (size_t)snprintf(out + len, sizeof out - len, i ? " %d" : "%d", sel[i]);
    free(sel);
    return out;
}

#endif
