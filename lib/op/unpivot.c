/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-map --unpivot: columns to rows. A row with k of the columns becomes k rows, in
 * the order of the list: the other columns repeated, the name of the column, its
 * value. NULLs are values too.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "op/op.h"
#include "op/partial.h"

struct unpivot {
    struct bp_source in;
    struct bp_batch held; /* rows of the input that wait */
    int64_t at, n_given, step;
    int *ids, *values; /* columns of the input */
    int n_ids, n_values;
    struct bp_column names; /* of the values */
    int32_t *row, *which;   /* of each row of a step: the input's, the value's */
    uint64_t *refs;
    const struct bp_column **srcs;
};

static int take_rows(struct unpivot *u, const struct bp_batch *in, struct bp_batch *out,
                     struct bp_err *err)
{
    int64_t n = in->n_rows * u->n_values;

    BP_TRY(bp_batch_init(out, u->n_ids + 2, err));
    for (int i = 0; i < u->n_ids; i++)
        BP_TRY(bp_column_gather(&out->cols[i], &in->cols[u->ids[i]], u->row, n, err));
    BP_TRY(bp_column_gather(&out->cols[u->n_ids], &u->names, u->which, n, err));
    for (int i = 0; i < u->n_values; i++)
        u->srcs[i] = &in->cols[u->values[i]];
    BP_TRY(bp_column_gather_many(&out->cols[u->n_ids + 1], u->srcs, u->n_values, u->refs, n, err));
    out->n_rows = n;
    out->first_row = u->n_given;
    out->share = in->share;
    u->n_given += n;
    return 0;
}

static int unpivot_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct unpivot *u = self;
    struct bp_batch some = {0};
    int64_t n;
    int rc;

    if (u->at >= u->held.n_rows) {
        bp_batch_release(&u->held);
        u->at = 0;
        rc = bp_source_next(&u->in, &u->held, err);
        if (rc)
            return rc;
    }
    n = BP_MIN(u->step, u->held.n_rows - u->at);
    BP_TRY(bp_batch_slice(&some, &u->held, u->at, n, err));
    some.share = u->held.share;
    u->at += n;
    rc = take_rows(u, &some, out, err);
    bp_batch_release(&some);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

static void unpivot_free(void *self)
{
    struct unpivot *u = self;

    bp_source_free(&u->in);
    bp_batch_release(&u->held);
    bp_column_release(&u->names);
    bp_mem_free(u->ids);
    bp_mem_free(u->values);
    bp_mem_free(u->row);
    bp_mem_free(u->which);
    bp_mem_free(u->refs);
    bp_mem_free(u->srcs);
    bp_mem_free(u);
}

/* ---- opening ---- */

static int fill_patterns(struct unpivot *u, int64_t batch_rows, struct bp_err *err)
{
    size_t n;

    u->step = BP_MAX(batch_rows / u->n_values, 1);
    n = (size_t)u->step * (size_t)u->n_values;
    u->row = bp_mem_new(n, sizeof *u->row, err);
    u->which = u->row ? bp_mem_new(n, sizeof *u->which, err) : NULL;
    u->refs = u->which ? bp_mem_new(n, sizeof *u->refs, err) : NULL;
    u->srcs = u->refs ? bp_mem_new((size_t)u->n_values, sizeof *u->srcs, err) : NULL;
    if (!u->srcs)
        return err->code;
    for (size_t i = 0; i < n; i++) {
        u->row[i] = (int32_t)(i / (size_t)u->n_values);
        u->which[i] = (int32_t)(i % (size_t)u->n_values);
        u->refs[i] = (uint64_t)u->which[i] << 32 | (uint64_t)u->row[i];
    }
    return 0;
}

static int check_value(const struct unpivot *u, int at, struct bp_err *err)
{
    const struct bp_field *f = u->in.schema.fields, *first = &f[u->values[0]];
    char a[BP_TYPE_NAME_MAX], b[BP_TYPE_NAME_MAX];

    for (int i = 0; i < u->n_values; i++)
        if (u->values[i] == at)
            return bp_fail(err, BP_EUSAGE, "column '%s' is named twice", f[at].name);
    if (!u->n_values || bp_type_equal(first->type, f[at].type))
        return 0;
    return bp_fail(err, BP_EUSAGE,
                   "'%s' is %s but '%s' is %s: one column cannot hold both; cast them first "
                   "(bp-map -a)",
                   first->name, bp_type_name(first->type, a), f[at].name,
                   bp_type_name(f[at].type, b));
}

static int bind_columns(struct unpivot *u, char **cols, int n, struct bp_err *err)
{
    int n_fields = u->in.schema.n_fields;
    bool is_value;

    u->values = bp_mem_new((size_t)n + 1, sizeof *u->values, err);
    u->ids = u->values ? bp_mem_new((size_t)n_fields + 1, sizeof *u->ids, err) : NULL;
    if (!u->ids)
        return err->code;
    for (int i = 0; i < n; i++) {
        int at;

        BP_TRY(bp_schema_index(&u->in.schema, cols[i], &at, err));
        BP_TRY(check_value(u, at, err));
        u->values[u->n_values++] = at;
    }
    for (int i = 0; i < n_fields; i++) {
        is_value = false;
        for (int k = 0; k < u->n_values; k++)
            is_value |= u->values[k] == i;
        if (!is_value)
            u->ids[u->n_ids++] = i;
    }
    return 0;
}

static int bind_names(struct unpivot *u, struct bp_err *err)
{
    struct bp_builder b;
    int rc = 0;

    bp_builder_init(&b, BP_TYPE(BP_TEXT));
    for (int i = 0; i < u->n_values && rc == 0; i++) {
        const char *name = u->in.schema.fields[u->values[i]].name;

        rc = bp_builder_add_bytes(&b, name, strlen(name), err);
    }
    if (rc == 0)
        rc = bp_builder_finish(&b, &u->names, err);
    bp_builder_release(&b);
    return rc;
}

/* bp.parted stays where its keys stay; the order of rows within a key's does not. */
static int set_marks(const struct unpivot *u, struct bp_schema *out, struct bp_err *err)
{
    struct bp_parted p = {0};
    bool present = false, keep = true;

    BP_TRY(bp_schema_copy_meta(out, &u->in.schema, err));
    BP_TRY(bp_schema_set_meta(out, BP_MARK_SORTED, NULL, err));
    BP_TRY(bp_mark_parted(&u->in.schema, &present, &p, err));
    for (int i = 0; i < p.n_keys; i++) {
        int col = bp_schema_find(&u->in.schema, p.keys[i]);

        for (int k = 0; k < u->n_values; k++)
            keep &= col >= 0 && u->values[k] != col;
    }
    bp_parted_release(&p);
    return keep ? 0 : bp_schema_set_meta(out, BP_MARK_PARTED, NULL, err);
}

static int set_schema(const struct unpivot *u, const char *key, const char *value,
                      struct bp_schema *out, struct bp_err *err)
{
    const struct bp_field *f = u->in.schema.fields;

    for (int i = 0; i < u->n_ids; i++) {
        BP_TRY(bp_schema_add(out, f[u->ids[i]].name, f[u->ids[i]].type, err));
        out->fields[i].nullable = f[u->ids[i]].nullable;
        out->fields[i].dict = f[u->ids[i]].dict;
        if (strcmp(f[u->ids[i]].name, key) == 0 || strcmp(f[u->ids[i]].name, value) == 0)
            return bp_fail(err, BP_EUSAGE,
                           "two columns would be named '%s': give others with --names",
                           f[u->ids[i]].name);
    }
    if (strcmp(key, value) == 0)
        return bp_fail(err, BP_EUSAGE, "two columns would be named '%s'", key);
    BP_TRY(bp_schema_add(out, key, BP_TYPE(BP_TEXT), err));
    BP_TRY(bp_schema_add(out, value, f[u->values[0]].type, err));
    return set_marks(u, out, err);
}

static void free_names(char **names, int n)
{
    for (int i = 0; i < n; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
}

int bp_unpivot_open(struct bp_source *out, struct bp_source *in, const char *columns,
                    const char *names, struct bp_ctx *ctx, struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = unpivot_next, .free = unpivot_free};
    struct unpivot *u = bp_mem_new(1, sizeof *u, err);
    char **cols = NULL, **pair = NULL;
    int n_cols = 0, n_pair = 0, rc;

    *out = (struct bp_source){0};
    if (!u) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&u->in, in);
    BP_GO(bp_partial_refuse(&u->in.schema, "bp-map", err));
    BP_GO(bp_expr_parse_names(columns, &cols, &n_cols, err));
    BP_GO(bp_expr_parse_names(names ? names : "key, value", &pair, &n_pair, err));
    if (n_pair != 2)
        BP_GO(bp_fail(err, BP_EUSAGE, "--names wants two names, of the key and of the value"));
    BP_GO(bind_columns(u, cols, n_cols, err));
    BP_GO(bind_names(u, err));
    BP_GO(fill_patterns(u, ctx->batch_rows, err));
    BP_GO(set_schema(u, pair[0], pair[1], &out->schema, err));
    if (u->in.name) {
        out->name = bp_mem_str(u->in.name, err);
        BP_GO(out->name ? 0 : err->code);
    }
    out->ops = &ops;
    out->self = u;
out:
    free_names(cols, n_cols);
    free_names(pair, n_pair);
    if (rc >= 0)
        return 0;
    unpivot_free(u);
    bp_schema_release(&out->schema);
    bp_mem_free(out->name);
    *out = (struct bp_source){0};
    return rc;
}
