/* SPDX-License-Identifier: Apache-2.0 */
#include "op/unite.h"

#include <string.h>

#include "base/mem.h"
#include "expr/expr.h"

/* ---- types ---- */

static int int_bits(struct bp_type t)
{
    switch (t.kind) {
    case BP_INT8:
    case BP_UINT8: return 8;
    case BP_INT16:
    case BP_UINT16: return 16;
    case BP_INT32:
    case BP_UINT32: return 32;
    default: return 64;
    }
}

static bool is_unsigned(struct bp_type t)
{
    return t.kind >= BP_UINT8 && t.kind <= BP_UINT64;
}

/* Of signed integers; more than 64 bits: of decimal. */
static struct bp_type int_of(int bits)
{
    return bits <= 8    ? BP_TYPE(BP_INT8)
           : bits <= 16 ? BP_TYPE(BP_INT16)
           : bits <= 32 ? BP_TYPE(BP_INT32)
           : bits <= 64 ? BP_TYPE(BP_INT64)
                        : BP_TYPE_DECIMAL(20, 0);
}

static struct bp_type widen_ints(struct bp_type a, struct bp_type b)
{
    int ba = int_bits(a), bb = int_bits(b);

    if (is_unsigned(a) == is_unsigned(b))
        return ba >= bb ? a : b;
    return int_of(BP_MAX(is_unsigned(a) ? 2 * ba : ba, is_unsigned(b) ? 2 * bb : bb));
}

static void digits_of(struct bp_type t, int *whole, int *scale)
{
    static const uint8_t of_bits[] = {[8] = 3, [16] = 5, [32] = 10, [64] = 20};

    *scale = t.kind == BP_DECIMAL ? t.scale : 0;
    *whole = t.kind == BP_DECIMAL ? t.precision - t.scale
             : t.kind == BP_INT64 ? 19
                                  : of_bits[int_bits(t)];
}

static bool widen_decimals(struct bp_type a, struct bp_type b, struct bp_type *out)
{
    int wa, sa, wb, sb, whole, scale;

    digits_of(a, &wa, &sa);
    digits_of(b, &wb, &sb);
    whole = BP_MAX(wa, wb);
    scale = BP_MAX(sa, sb);
    if (whole + scale > 38)
        return false;
    *out = BP_TYPE_DECIMAL((uint8_t)(whole + scale), (uint8_t)scale);
    return true;
}

/* i: an integer, f: a float of any width. */
static bool widen_int_float(struct bp_type i, struct bp_type f, struct bp_type *out)
{
    if (int_bits(i) == 64)
        return false;
    *out = int_bits(i) <= 16 ? f : BP_TYPE(BP_FLOAT64);
    return true;
}

bool bp_widen(struct bp_type a, struct bp_type b, struct bp_type *out)
{
    *out = a;
    if (bp_type_equal(a, b))
        return true;
    if (bp_type_is_int(a) && bp_type_is_int(b)) {
        *out = widen_ints(a, b);
        return true;
    }
    if (bp_type_is_float(a) && bp_type_is_float(b)) {
        *out = BP_TYPE(BP_FLOAT64);
        return true;
    }
    if (bp_type_is_int(a) && bp_type_is_float(b))
        return widen_int_float(a, b, out);
    if (bp_type_is_float(a) && bp_type_is_int(b))
        return widen_int_float(b, a, out);
    if (bp_type_is_number(a) && bp_type_is_number(b) && !bp_type_is_float(a) &&
        !bp_type_is_float(b))
        return widen_decimals(a, b, out);
    if (a.kind == b.kind &&
        (a.kind == BP_TIME || a.kind == BP_TIMESTAMP || a.kind == BP_TIMESTAMPTZ)) {
        *out = BP_TYPE_UNIT(a.kind, BP_MAX(a.unit, b.unit));
        return true;
    }
    return false;
}

/* ---- the schema of all ---- */

static int exact_find(const struct bp_schema *s, const char *name)
{
    for (int i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return i;
    return -1;
}

static const char *or_unnamed(const char *name)
{
    return name ? name : "an unnamed input";
}

static int set_origin(struct bp_unite *u, int i, const char *name, struct bp_err *err)
{
    bp_mem_free(u->origins[i]);
    u->origins[i] = bp_mem_str(or_unnamed(name), err);
    return u->origins[i] ? 0 : err->code;
}

static int missing(const char *column, const char *has, const char *lacks, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "inputs differ: column '%s' of %s is not in %s; where files are read, --missing "
                   "null makes it NULL there",
                   column, has, lacks);
}

static int add_field(struct bp_unite *u, const struct bp_field *f, const char *name,
                     struct bp_err *err)
{
    char **origins;
    int n = u->all.n_fields;

    origins = bp_mem_grow(u->origins, (size_t)n + 1, sizeof *origins, err);
    if (!origins)
        return err->code;
    u->origins = origins;
    origins[n] = NULL;
    BP_TRY(bp_schema_add(&u->all, f->name, f->type, err));
    u->all.fields[n].nullable = f->nullable;
    u->all.fields[n].dict = f->dict;
    u->all.fields[n].pseudo = f->pseudo;
    return set_origin(u, n, name, err);
}

static int widen_field(struct bp_unite *u, int i, const struct bp_field *f, const char *name,
                       struct bp_err *err)
{
    char ta[BP_TYPE_NAME_MAX], tb[BP_TYPE_NAME_MAX];
    struct bp_field *to = &u->all.fields[i];
    struct bp_type t;

    if (!bp_widen(to->type, f->type, &t))
        return bp_fail(err, BP_EDATA,
                       "inputs differ: column '%s' is %s in %s but %s in %s; "
                       "give both the same type (bp-map -a, or -s when reading)",
                       to->name, bp_type_name(to->type, ta), u->origins[i],
                       bp_type_name(f->type, tb), or_unnamed(name));
    to->nullable |= f->nullable;
    to->dict = to->dict && f->dict ? BP_MAX(to->dict, f->dict) : BP_DICT_NONE;
    to->pseudo &= f->pseudo;
    if (bp_type_equal(t, to->type))
        return 0;
    to->type = t;
    return set_origin(u, i, name, err);
}

static int add_first(struct bp_unite *u, const struct bp_schema *s, const char *name,
                     struct bp_err *err)
{
    BP_TRY(bp_schema_copy_meta(&u->all, s, err));
    u->first = bp_mem_str(or_unnamed(name), err);
    if (!u->first)
        return err->code;
    for (int i = 0; i < s->n_fields; i++)
        BP_TRY(add_field(u, &s->fields[i], name, err));
    return 0;
}

/* Most inputs are as the first: found where they are looked for first. */
static int find(const struct bp_schema *s, const char *name, int guess)
{
    return guess < s->n_fields && strcmp(s->fields[guess].name, name) == 0 ? guess
                                                                           : exact_find(s, name);
}

int bp_unite_add(struct bp_unite *u, const struct bp_schema *s, const char *name,
                 struct bp_err *err)
{
    int n = u->all.n_fields;

    if (!u->first)
        return add_first(u, s, name, err);
    for (int i = 0; i < n; i++) {
        int k = find(s, u->all.fields[i].name, i);

        if (k >= 0)
            BP_TRY(widen_field(u, i, &s->fields[k], name, err));
        else if (u->missing_null)
            u->all.fields[i].nullable = true;
        else
            return missing(u->all.fields[i].name, u->origins[i], or_unnamed(name), err);
    }
    for (int k = 0; k < s->n_fields; k++) {
        if (find(&u->all, s->fields[k].name, k) >= 0)
            continue;
        if (!u->missing_null)
            return missing(s->fields[k].name, or_unnamed(name), u->first, err);
        BP_TRY(add_field(u, &s->fields[k], name, err));
        u->all.fields[u->all.n_fields - 1].nullable = true;
    }
    return 0;
}

bool bp_unite_has(const struct bp_unite *u, const struct bp_schema *s)
{
    int n_found = 0;

    for (int i = 0; i < u->all.n_fields; i++) {
        int k = find(s, u->all.fields[i].name, i);
        struct bp_type t;

        if (k < 0)
            continue;
        n_found++;
        if (!bp_widen(u->all.fields[i].type, s->fields[k].type, &t) ||
            !bp_type_equal(t, u->all.fields[i].type))
            return false;
    }
    return n_found == s->n_fields && (u->missing_null || n_found == u->all.n_fields);
}

void bp_unite_release(struct bp_unite *u)
{
    for (int i = 0; u->origins && i < u->all.n_fields; i++)
        bp_mem_free(u->origins[i]);
    bp_mem_free(u->origins);
    bp_mem_free(u->first);
    bp_schema_release(&u->all);
    *u = (struct bp_unite){0};
}

/* ---- one input as part of it ---- */

struct part {
    int col; /* of the input; -1: it has none */
    struct bp_type type;
    struct bp_expr *cast; /* NULL: as it is */
};

struct adapt {
    struct bp_source in;
    struct part *parts;
    int n;
};

static void adapt_free(void *self)
{
    struct adapt *a = self;

    bp_source_free(&a->in);
    for (int i = 0; a->parts && i < a->n; i++)
        bp_expr_free(a->parts[i].cast);
    bp_mem_free(a->parts);
    bp_mem_free(a);
}

static int adapt_batch(const struct adapt *a, const struct bp_batch *in, struct bp_batch *out,
                       struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, a->n, err));
    out->n_rows = in->n_rows;
    out->first_row = in->first_row;
    out->share = in->share;
    for (int i = 0; i < a->n; i++) {
        const struct part *p = &a->parts[i];

        if (p->col < 0)
            BP_TRY(bp_column_nulls(&out->cols[i], p->type, in->n_rows, err));
        else if (p->cast)
            BP_TRY(bp_expr_eval(p->cast, in, &out->cols[i], err));
        else
            bp_column_ref(&out->cols[i], &in->cols[p->col]);
    }
    return 0;
}

static int adapt_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct adapt *a = self;
    struct bp_batch in;
    int rc = bp_source_next(&a->in, &in, err);

    if (rc)
        return rc;
    rc = adapt_batch(a, &in, out, err);
    bp_batch_release(&in);
    if (rc < 0) {
        bp_batch_release(out);
        return bp_err_prefix(err, "%s", or_unnamed(a->in.name));
    }
    return 0;
}

static const struct bp_source_ops adapt_ops = {.next = adapt_next, .free = adapt_free};

static int make_cast(const struct bp_source *in, const struct bp_field *to, struct part *p,
                     struct bp_err *err)
{
    char type[BP_TYPE_NAME_MAX];
    struct bp_buf b = {0};
    struct bp_clause c = {0};
    int rc;

    BP_GO(bp_buf_puts(&b, "CAST(", err));
    BP_GO(bp_name_print(to->name, &b, err));
    BP_GO(bp_buf_printf(&b, err, " AS %s)", bp_type_name(to->type, type)));
    c.text = bp_buf_str(&b, err);
    rc = c.text ? bp_expr_parse(&c, &in->schema, &p->cast, err) : err->code;
out:
    bp_buf_release(&b);
    return rc;
}

/* in is to give only what is wanted of it. */
static int ask(struct bp_source *in, const struct bp_schema *all, const int *cols, int n,
               const struct bp_condition *c, struct bp_err *err)
{
    int *wanted = bp_mem_new((size_t)n + 1, sizeof *wanted, err), n_wanted = 0, rc;
    bool plain = true;

    if (!wanted)
        return err->code;
    for (int i = 0; i < n; i++) {
        const struct bp_field *f = &all->fields[cols ? cols[i] : i];
        int k = exact_find(&in->schema, f->name);

        plain &= k >= 0 && bp_type_equal(in->schema.fields[k].type, f->type);
        if (k >= 0)
            wanted[n_wanted++] = k;
    }
    rc = n_wanted ? bp_source_project(in, wanted, n_wanted, err) : BP_DONE;
    bp_mem_free(wanted);
    /* a condition is over the columns and the types that are left */
    if (rc == 0 && plain && c)
        return bp_source_prune(in, c, err);
    return rc < 0 ? rc : 0;
}

static int open_adapt(struct adapt *a, const struct bp_schema *all, const int *cols, int n,
                      const struct bp_condition *c, struct bp_source *out, struct bp_err *err)
{
    BP_TRY(ask(&a->in, all, cols, n, c, err));
    a->parts = bp_mem_new((size_t)n + 1, sizeof *a->parts, err);
    if (!a->parts)
        return err->code;
    a->n = n;
    for (int i = 0; i < n; i++) {
        const struct bp_field *f = &all->fields[cols ? cols[i] : i];
        struct part *p = &a->parts[i];

        *p = (struct part){.col = exact_find(&a->in.schema, f->name), .type = f->type};
        if (p->col >= 0 && !bp_type_equal(a->in.schema.fields[p->col].type, f->type))
            BP_TRY(make_cast(&a->in, f, p, err));
        BP_TRY(bp_schema_add(&out->schema, f->name, f->type, err));
    }
    out->name = bp_mem_str(or_unnamed(a->in.name), err);
    return out->name ? 0 : err->code;
}

int bp_unite_adapt(struct bp_source *s, const struct bp_schema *all, const int *cols, int n,
                   const struct bp_condition *c, struct bp_err *err)
{
    struct adapt *a = bp_mem_new(1, sizeof *a, err);
    struct bp_source out = {0};

    if (!a)
        return err->code;
    bp_source_move(&a->in, s);
    if (open_adapt(a, all, cols, n, c, &out, err) < 0) {
        adapt_free(a);
        bp_schema_release(&out.schema);
        bp_mem_free(out.name);
        return err->code;
    }
    out.ops = &adapt_ops;
    out.self = a;
    bp_source_move(s, &out);
    return 0;
}
