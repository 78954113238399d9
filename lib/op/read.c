/* SPDX-License-Identifier: Apache-2.0 */
/* bp-read -w and -c: which columns must be decoded, which parts read, then filter, then
 * the list. */
#include <string.h>

#include "op/op.h"

/* Columns that the clause reads. */
static int mark_where(const struct bp_source *src, const struct bp_clause *where, bool *used,
                      struct bp_err *err)
{
    struct bp_expr *e;

    BP_TRY(bp_expr_parse_where(where, &src->schema, &e, err));
    bp_expr_mark_columns(e, used);
    bp_expr_free(e);
    return 0;
}

static int mark_names(const struct bp_source *src, const struct bp_clause *columns, bool *used,
                      struct bp_err *err)
{
    char **names;
    int n, k, rc = 0;

    BP_TRY(bp_expr_parse_names(columns->text, &names, &n, err));
    for (int i = 0; i < n; i++) {
        if (rc == 0)
            rc = bp_schema_index(&src->schema, names[i], &k, err);
        if (rc == 0)
            used[k] = true;
        bp_mem_free(names[i]);
    }
    bp_mem_free(names);
    return rc;
}

/* Have src decode only what the clauses name. */
static int project(struct bp_source *src, const struct bp_clause *where,
                   const struct bp_clause *columns, struct bp_err *err)
{
    int n_fields = src->schema.n_fields, n = 0, rc;
    bool *used = bp_mem_new((size_t)n_fields, sizeof *used, err);
    int *cols = used ? bp_mem_new((size_t)n_fields, sizeof *cols, err) : NULL;

    rc = cols ? 0 : err->code;
    if (rc == 0 && where)
        rc = mark_where(src, where, used, err);
    if (rc == 0)
        rc = mark_names(src, columns, used, err);
    for (int i = 0; rc == 0 && i < n_fields; i++)
        if (used[i])
            cols[n++] = i;
    if (rc == 0 && n < n_fields)
        rc = bp_source_project(src, cols, n, err); /* BP_DONE: select() does it */
    bp_mem_free(used);
    bp_mem_free(cols);
    return rc < 0 ? rc : 0;
}

/* True if src has exactly the columns of the list, in its order. */
static int is_list(const struct bp_source *src, const struct bp_clause *columns, bool *same,
                   struct bp_err *err)
{
    char **names;
    int n, k, rc = 0;

    BP_TRY(bp_expr_parse_names(columns->text, &names, &n, err));
    *same = n == src->schema.n_fields;
    for (int i = 0; i < n; i++) {
        if (rc == 0)
            rc = bp_schema_index(&src->schema, names[i], &k, err);
        *same = *same && rc == 0 && k == i;
        bp_mem_free(names[i]);
    }
    bp_mem_free(names);
    return rc;
}

int bp_read_open(struct bp_source *src, const struct bp_clause *where,
                 const struct bp_clause *columns, struct bp_ctx *ctx, struct bp_err *err)
{
    struct bp_source in;
    bool same = true;

    if (columns)
        BP_TRY(project(src, where, columns, err));
    if (where) {
        bp_source_move(&in, src);
        BP_TRY(bp_filter_open(src, &in, where, ctx, err));
    }
    if (columns)
        BP_TRY(is_list(src, columns, &same, err));
    if (same)
        return 0;
    bp_source_move(&in, src);
    return bp_map_open(src, &in, BP_MAP_SELECT, columns, ctx, err);
}
