/* SPDX-License-Identifier: Apache-2.0 */
/* bp-read -w with -c: which columns must be decoded, then filter, then project. */
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

static int project(struct bp_source *src, const struct bp_clause *where,
                   const struct bp_clause *columns, struct bp_err *err)
{
    int n_fields = src->schema.n_fields, n = 0, rc;
    bool *used = bp_mem_new((size_t)n_fields, sizeof *used, err);
    int *cols = used ? bp_mem_new((size_t)n_fields, sizeof *cols, err) : NULL;

    rc = cols ? 0 : err->code;
    if (rc == 0)
        rc = mark_where(src, where, used, err);
    if (rc == 0)
        rc = mark_names(src, columns, used, err);
    for (int i = 0; rc == 0 && i < n_fields; i++)
        if (used[i])
            cols[n++] = i;
    if (rc == 0)
        rc = bp_source_project(src, cols, n, err); /* BP_DONE: the map below does it */
    bp_mem_free(used);
    bp_mem_free(cols);
    return rc < 0 ? rc : 0;
}

int bp_read_where_open(struct bp_source *src, const struct bp_clause *where,
                       const struct bp_clause *columns, struct bp_ctx *ctx, struct bp_err *err)
{
    if (columns)
        BP_TRY(project(src, where, columns, err));
    BP_TRY(bp_filter_open(src, src, where, ctx, err));
    return columns ? bp_map_open(src, src, BP_MAP_SELECT, columns, ctx, err) : 0;
}
