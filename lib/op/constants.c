/* SPDX-License-Identifier: Apache-2.0 */
/* A column of each value is made once, as long as the longest batch of it; batches share it. */
#include "op/constants.h"

#include <string.h>

#include "base/mem.h"
#include "col/text.h"

struct value {
    struct bp_type type;
    bool is_null;
    _Alignas(16) uint8_t fixed[16];
    char *bytes; /* of text and binary */
    size_t n_bytes;
    char **texts; /* [n_texts]: bytes, by the origin */
    int n_texts;
    bool varies;           /* with the origin of the batch */
    int64_t origin;        /* that it is of now */
    struct bp_column rows; /* copies of it */
};

struct constants {
    struct bp_source in;
    struct value *values;
    int n_values;
    int n_in;  /* columns of in that come */
    int *cols; /* [n_cols]: of in; n_in and up: values */
    int n_cols;
    struct bp_condition condition; /* of whoever asked, over our columns */
    const struct bp_bounds *known; /* of the input, while that is asked */
    uint8_t *nulls;                /* enum bp_nulls of our columns */
};

static void constants_free(void *self)
{
    struct constants *s = self;

    bp_source_free(&s->in);
    for (int i = 0; s->values && i < s->n_values; i++) {
        bp_column_release(&s->values[i].rows);
        for (int k = 0; k < s->values[i].n_texts; k++)
            bp_mem_free(s->values[i].texts[k]);
        if (s->values[i].texts) /* bytes are one of them */
            bp_mem_free(s->values[i].texts);
        else
            bp_mem_free(s->values[i].bytes);
    }
    bp_mem_free(s->values);
    bp_mem_free(s->cols);
    bp_mem_free(s->nulls);
    bp_mem_free(s);
}

/* ---- rows ---- */

static int make_rows(struct value *v, int64_t n, struct bp_err *err)
{
    struct bp_builder b;
    int rc = 0;

    bp_column_release(&v->rows);
    if (v->is_null)
        return bp_column_nulls(&v->rows, v->type, n, err);
    bp_builder_init(&b, v->type);
    BP_GO(bp_builder_reserve(&b, n, err));
    for (int64_t i = 0; i < n; i++)
        BP_GO(bp_type_is_bytes(v->type) ? bp_builder_add_bytes(&b, v->bytes, v->n_bytes, err)
                                        : bp_builder_add(&b, v->fixed, err));
    rc = bp_builder_finish(&b, &v->rows, err);
out:
    bp_builder_release(&b);
    return rc;
}

/* v becomes the value for rows of this origin. */
static int turn_to(struct value *v, int64_t origin, struct bp_err *err)
{
    int32_t number = (int32_t)origin;

    if (v->origin == origin && v->rows.type.kind)
        return 0;
    bp_column_release(&v->rows);
    v->origin = origin;
    if (!v->n_texts) {
        v->is_null = origin < 0;
        memcpy(v->fixed, &number, sizeof number);
        return 0;
    }
    if (origin < 0 || origin >= v->n_texts)
        return bp_fail(err, BP_EDATA, "rows of file %lld, where there are %d", (long long)origin,
                       v->n_texts);
    v->bytes = v->texts[origin];
    v->n_bytes = strlen(v->bytes);
    return 0;
}

/* Our columns of n_rows rows: those of in, and the values; of in some may be empty. */
static int dress(struct constants *s, const struct bp_batch *in, struct bp_batch *out,
                 struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, s->n_cols, err));
    out->n_rows = in->n_rows;
    out->first_row = in->first_row;
    out->share = in->share;
    for (int c = 0; c < s->n_cols; c++) {
        struct value *v;

        if (s->cols[c] < s->n_in) {
            bp_column_ref(&out->cols[c], &in->cols[s->cols[c]]);
            continue;
        }
        v = &s->values[s->cols[c] - s->n_in];
        if (v->varies)
            BP_TRY(turn_to(v, in->origin, err));
        if (v->rows.n_rows < in->n_rows || !v->rows.type.kind)
            BP_TRY(make_rows(v, in->n_rows, err));
        BP_TRY(bp_column_slice(&out->cols[c], &v->rows, 0, in->n_rows, err));
    }
    return 0;
}

static int constants_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct constants *s = self;
    struct bp_batch in;
    int rc = bp_source_next(&s->in, &in, err);

    if (rc != 0)
        return rc;
    rc = dress(s, &in, out, err);
    bp_batch_release(&in);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

/* ---- a condition ---- */

/* A column of the input is asked about there; of a value everything is known already. */
static bool lacks(void *self, int col, const struct bp_column *value)
{
    const struct constants *s = self;

    return s->cols[col] < s->n_in && s->known->lacks &&
           s->known->lacks(s->known->self, s->cols[col], value);
}

static const struct bp_column *all_values(void *self, int col)
{
    const struct constants *s = self;

    return s->cols[col] < s->n_in && s->known->values
               ? s->known->values(s->known->self, s->cols[col])
               : NULL;
}

static void know_nulls(struct constants *s, const struct bp_bounds *known)
{
    for (int c = 0; c < s->n_cols; c++)
        if (s->cols[c] >= s->n_in)
            s->nulls[c] = s->values[s->cols[c] - s->n_in].is_null ? BP_NULLS_ALL : BP_NULLS_NONE;
        else
            s->nulls[c] = known->nulls ? known->nulls[s->cols[c]] : BP_NULLS_UNKNOWN;
}

/* The bounds of a part of the input, and of our own columns: the value itself. */
static bool may_match(void *ctx, const struct bp_bounds *known)
{
    struct constants *s = ctx;
    struct bp_batch low = {0}, high = {0};
    struct bp_bounds ours = {&low, &high, s->nulls, lacks, all_values, s};
    struct bp_err quiet = {0};
    bool may = true;

    s->known = known;
    know_nulls(s, known);
    if (dress(s, known->low, &low, &quiet) == 0 && dress(s, known->high, &high, &quiet) == 0)
        may = s->condition.may(s->condition.ctx, &ours);
    bp_batch_release(&low);
    bp_batch_release(&high);
    return may;
}

/* used: of the input's columns. */
static void mark_used(void *ctx, bool *used)
{
    struct constants *s = ctx;
    struct bp_err quiet = {0};
    bool *ours = bp_mem_new((size_t)s->n_cols + 1, sizeof *ours, &quiet);

    if (ours)
        s->condition.mark(s->condition.ctx, ours);
    for (int c = 0; c < s->n_cols; c++)
        if (s->cols[c] < s->n_in && (!ours || ours[c]))
            used[s->cols[c]] = true;
    bp_mem_free(ours);
}

static int select_rows(void *ctx, const struct bp_batch *rows, int32_t *sel, int64_t *n,
                       struct bp_err *err)
{
    struct constants *s = ctx;
    struct bp_batch ours = {0};
    int rc = dress(s, rows, &ours, err);

    if (rc == 0)
        rc = s->condition.select(s->condition.ctx, &ours, sel, n, err);
    bp_batch_release(&ours);
    return rc;
}

static int constants_prune(void *self, const struct bp_condition *c, struct bp_err *err)
{
    struct constants *s = self;
    struct bp_condition inner = {may_match, mark_used, c->select ? select_rows : NULL, s};

    for (int i = 0; i < s->n_values; i++)
        if (s->values[i].varies) /* no source that has several origins prunes */
            return 0;
    s->condition = *c;
    bp_mem_free(s->nulls);
    s->nulls = bp_mem_new((size_t)s->n_cols + 1, sizeof *s->nulls, err);
    return s->nulls ? bp_source_prune(&s->in, &inner, err) : err->code;
}

/* ---- columns ---- */

/* The source gives only what is wanted of it, where it can. */
static int constants_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct constants *s = self;
    int *wanted = bp_mem_new((size_t)n, sizeof *wanted, err);
    int *list = bp_mem_new((size_t)n, sizeof *list, err);
    int n_wanted = 0, rc = 0;

    if (!wanted || !list)
        BP_GO(err->code);
    for (int i = 0; i < n; i++)
        if (cols[i] < s->n_in)
            wanted[n_wanted++] = cols[i];
    rc = bp_source_project(&s->in, wanted, n_wanted, err);
    if (rc < 0)
        goto out;
    for (int i = 0, at = 0; i < n; i++)
        list[i] = cols[i] >= s->n_in ? cols[i] - (rc == 0 ? s->n_in - n_wanted : 0)
                  : rc == 0          ? at++
                                     : cols[i];
    if (rc == 0)
        s->n_in = n_wanted;
    bp_mem_free(s->cols);
    s->cols = list;
    s->n_cols = n;
    list = NULL;
    rc = 0;
out:
    bp_mem_free(wanted);
    bp_mem_free(list);
    return rc;
}

static const struct bp_source_ops constants_ops = {.next = constants_next,
                                                   .free = constants_free,
                                                   .project = constants_project,
                                                   .prune = constants_prune};

/* ---- opening ---- */

static int set_texts(struct value *v, const struct bp_constant *c, struct bp_err *err)
{
    v->texts = bp_mem_new((size_t)c->n_texts, sizeof *v->texts, err);
    if (!v->texts)
        return err->code;
    for (; v->n_texts < c->n_texts; v->n_texts++) {
        v->texts[v->n_texts] = bp_mem_str(c->texts[v->n_texts], err);
        if (!v->texts[v->n_texts])
            return err->code;
    }
    return 0;
}

static int set_value(struct value *v, const struct bp_constant *c, struct bp_err *err)
{
    char type[BP_TYPE_NAME_MAX];
    int status = BP_TEXT_OK;

    v->type = c->type;
    v->varies = c->texts || c->is_origin;
    if (c->texts)
        return set_texts(v, c, err);
    if (c->is_origin)
        return 0;
    v->is_null = !c->text;
    if (!c->text)
        return 0;
    if (bp_type_is_bytes(c->type)) {
        v->bytes = bp_mem_strn(c->text, c->n_bytes, err);
        if (!v->bytes)
            return err->code;
        v->n_bytes = c->n_bytes;
        if (c->type.kind == BP_BINARY)
            status = bp_parse_binary(c->text, c->n_bytes, (uint8_t *)v->bytes, &v->n_bytes);
    } else {
        status = bp_text_parse(c->type, c->text, c->n_bytes, v->fixed);
    }
    if (status != BP_TEXT_OK)
        return bp_fail(err, BP_EDATA, "column %s: '%.*s' in the name of a directory is not a %s",
                       c->name, (int)BP_MIN(c->n_bytes, 60), c->text, bp_type_name(c->type, type));
    if (c->type.kind == BP_TEXT &&
        !bp_utf8_check((const uint8_t *)v->bytes, v->n_bytes, &(size_t){0}))
        return bp_fail(err, BP_EDATA, "column %s: a directory's name is not UTF-8", c->name);
    return 0;
}

static int add_column(struct constants *s, struct bp_source *out, const struct bp_constant *c,
                      struct bp_err *err)
{
    for (int i = 0; i < out->schema.n_fields; i++)
        if (strcmp(out->schema.fields[i].name, c->name) == 0)
            return bp_fail(err, BP_EDATA,
                           "%s: column '%s' stands in the file and in the name of its directory",
                           s->in.name ? s->in.name : "an input", c->name);
    BP_TRY(set_value(&s->values[s->n_values++], c, err));
    BP_TRY(bp_schema_add(&out->schema, c->name, c->type, err));
    out->schema.fields[out->schema.n_fields - 1].pseudo = c->pseudo;
    return 0;
}

int bp_constants_open(struct bp_source *out, struct bp_source *in, const struct bp_constant *c,
                      int n, struct bp_err *err)
{
    struct constants *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_source){0};
    if (!s) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&s->in, in);
    out->ops = &constants_ops;
    out->self = s;
    s->n_in = s->in.schema.n_fields;
    s->values = bp_mem_new((size_t)n, sizeof *s->values, err);
    s->cols = bp_mem_new((size_t)(s->n_in + n), sizeof *s->cols, err);
    if (err->code || bp_schema_copy(&out->schema, &s->in.schema, err) < 0)
        goto fail;
    for (int i = 0; i < n; i++)
        if (add_column(s, out, &c[i], err) < 0)
            goto fail;
    s->n_cols = s->n_in + n;
    for (int i = 0; i < s->n_cols; i++)
        s->cols[i] = i;
    out->name = s->in.name ? bp_mem_str(s->in.name, err) : NULL;
    if (!err->code)
        return 0;
fail:
    bp_source_free(out);
    return err->code;
}
