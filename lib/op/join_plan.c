/* SPDX-License-Identifier: Apache-2.0 */
#include "op/join_plan.h"

#include <string.h>

#include "base/mem.h"
#include "col/key.h"
#include "col/text.h"

/* ---- keys ---- */

static int check_classes(const struct bp_schema *left, const struct bp_schema *right,
                         const struct bp_join_key *k, struct bp_err *err)
{
    const char *ln = left->fields[k->left].name, *rn = right->fields[k->right].name;
    char lt[BP_TYPE_NAME_MAX], rt[BP_TYPE_NAME_MAX];

    if (bp_key_class(k->left_type) == bp_key_class(k->right_type))
        return 0;
    bp_type_name(k->left_type, lt);
    bp_type_name(k->right_type, rt);
    return bp_fail(err, BP_EUSAGE,
                   "'%s' of the left is %s, '%s' of the right is %s: such keys are never equal; "
                   "cast one of them, on the right with bp-map -a '%s::%s AS %s'",
                   ln, lt, rn, rt, rn, lt, rn);
}

static int bind_keys(struct bp_join_plan *p, const struct bp_join_keys *names, struct bp_err *err)
{
    p->keys = bp_mem_new((size_t)names->n, sizeof *p->keys, err);
    if (!p->keys)
        return err->code;
    for (int i = 0; i < names->n; i++) {
        struct bp_join_key *k = &p->keys[p->n_keys++];

        if (bp_schema_index(&p->left, names->left[i], &k->left, err) < 0)
            return bp_err_prefix(err, "keys, left side");
        if (bp_schema_index(&p->right, names->right[i], &k->right, err) < 0)
            return bp_err_prefix(err, "keys, right side");
        k->using_name = names->using_name[i];
        BP_TRY(bp_key_allowed(p->left.fields[k->left].type, names->left[i], err));
        BP_TRY(bp_key_allowed(p->right.fields[k->right].type, names->right[i], err));
        k->left_type = p->left.fields[k->left].type;
        k->right_type = p->right.fields[k->right].type;
        BP_TRY(check_classes(&p->left, &p->right, k, err));
    }
    return 0;
}

static int find_keys(struct bp_join_plan *p, const char *text, struct bp_err *err)
{
    struct bp_join_keys names = {0};
    int rc;

    if (p->type == BP_JOIN_CROSS)
        return text ? bp_fail(err, BP_EUSAGE, "a cross join has no keys: leave -k away") : 0;
    if (!text)
        return bp_fail(err, BP_EUSAGE, "a join needs keys: -k 'a, b' or -k 'a = b'");
    BP_TRY(bp_expr_parse_join_keys(text, &names, err));
    rc = bind_keys(p, &names, err);
    bp_join_keys_release(&names);
    return rc;
}

/* ---- one type for a column that holds values of both sides ---- */

static struct bp_type decimal_of(struct bp_type t)
{
    static const uint8_t digits[BP_N_KINDS] = {
        [BP_INT8] = 3,  [BP_INT16] = 5,  [BP_INT32] = 10,  [BP_INT64] = 19,
        [BP_UINT8] = 3, [BP_UINT16] = 5, [BP_UINT32] = 10, [BP_UINT64] = 20,
    };

    return t.kind == BP_DECIMAL ? t : BP_TYPE_DECIMAL(digits[t.kind], 0);
}

/* The smallest type that holds the numbers of both. */
static struct bp_type common_exact(struct bp_type a, struct bp_type b)
{
    static const uint8_t kinds[] = {BP_INT16, BP_INT32, BP_INT64};
    int scale, whole;

    if (bp_type_is_int(a) && bp_type_is_int(b)) {
        size_t wa = bp_type_width_bytes(a), wb = bp_type_width_bytes(b);

        if ((a.kind >= BP_UINT8) == (b.kind >= BP_UINT8))
            return wa >= wb ? a : b;
        /* one signed, one not */
        for (size_t i = 0; i < BP_COUNT_OF(kinds); i++) {
            struct bp_type t = BP_TYPE(kinds[i]);
            size_t w = bp_type_width_bytes(t);

            if (w >= (a.kind >= BP_UINT8 ? 2 * wa : wa) && w >= (b.kind >= BP_UINT8 ? 2 * wb : wb))
                return t;
        }
    }
    a = decimal_of(a);
    b = decimal_of(b);
    scale = BP_MAX(a.scale, b.scale);
    whole = BP_MAX(a.precision - a.scale, b.precision - b.scale);
    return BP_TYPE_DECIMAL((uint8_t)BP_MIN(whole + scale, 38), (uint8_t)scale);
}

static struct bp_type common_type(struct bp_type a, struct bp_type b)
{
    if (bp_type_equal(a, b))
        return a;
    if (bp_type_is_float(a))
        return BP_TYPE(BP_FLOAT64);
    if (bp_type_is_number(a))
        return common_exact(a, b);
    return a.unit > b.unit ? a : b; /* times: the finer unit */
}

static int make_cast(struct bp_schema *s, int col, struct bp_type to, struct bp_expr **out,
                     struct bp_err *err)
{
    struct bp_buf text = {0};
    struct bp_clause clause = {0};
    char name[BP_TYPE_NAME_MAX];
    int rc;

    if (bp_type_equal(s->fields[col].type, to))
        return 0;
    BP_GO(bp_name_print(s->fields[col].name, &text, err));
    BP_GO(bp_buf_printf(&text, err, "::%s", bp_type_name(to, name)));
    clause.text = bp_buf_str(&text, err);
    rc = clause.text ? bp_expr_parse(&clause, s, out, err) : err->code;
    if (rc == 0)
        s->fields[col].type = to;
out:
    bp_buf_release(&text);
    return rc;
}

/* Where unmatched right rows come out, their keys stand in the left's places. */
static int find_casts(struct bp_join_plan *p, struct bp_err *err)
{
    for (int i = 0; i < p->n_keys && p->keeps_right; i++) {
        struct bp_join_key *k = &p->keys[i];
        struct bp_type to = common_type(k->left_type, k->right_type);

        if (!k->using_name)
            continue;
        BP_TRY(make_cast(&p->left, k->left, to, &k->left_cast, err));
        BP_TRY(make_cast(&p->right, k->right, to, &k->right_cast, err));
        k->left_type = k->right_type = to;
    }
    return 0;
}

int bp_join_plan_cast(const struct bp_join_plan *p, bool left, struct bp_batch *b,
                      struct bp_err *err)
{
    for (int i = 0; i < p->n_keys; i++) {
        const struct bp_expr *cast = left ? p->keys[i].left_cast : p->keys[i].right_cast;
        int col = left ? p->keys[i].left : p->keys[i].right;
        struct bp_column to;

        if (!cast)
            continue;
        BP_TRY(bp_expr_eval(cast, b, &to, err));
        bp_column_release(&b->cols[col]);
        b->cols[col] = to;
    }
    return 0;
}

/* ---- columns of the result ---- */

/* The key whose right column is col and which is one column with the left's; -1. */
static int using_key(const struct bp_join_plan *p, bool left, int col)
{
    for (int i = 0; i < p->n_keys; i++)
        if (p->keys[i].using_name && (left ? p->keys[i].left : p->keys[i].right) == col)
            return i;
    return -1;
}

static int lay_out(struct bp_join_plan *p, struct bp_err *err)
{
    p->cols = bp_mem_new((size_t)(p->left.n_fields + p->right.n_fields), sizeof *p->cols, err);
    if (!p->cols)
        return err->code;
    for (int i = 0; i < p->left.n_fields; i++) {
        int k = using_key(p, true, i);

        p->cols[p->n_cols++] = (struct bp_join_col){i, k < 0 ? -1 : p->keys[k].right};
    }
    for (int i = 0; i < p->right.n_fields; i++)
        if (using_key(p, false, i) < 0)
            p->cols[p->n_cols++] = (struct bp_join_col){-1, i};
    return 0;
}

static bool named(const struct bp_join_plan *p, bool left, const char *name)
{
    for (int i = 0; i < p->n_cols; i++) {
        const struct bp_join_col *c = &p->cols[i];

        if (left ? c->left >= 0 && !strcmp(p->left.fields[c->left].name, name)
                 : c->left < 0 && !strcmp(p->right.fields[c->right].name, name))
            return true;
    }
    return false;
}

/* Adds column c to s, under its name or, where the other side has one of that name
 * too, with its side's suffix. */
static int add_column(struct bp_join_plan *p, const struct bp_join_col *c,
                      const struct bp_join_opts *opts, struct bp_schema *s, struct bp_err *err)
{
    bool left = c->left >= 0;
    const struct bp_field *f = left ? &p->left.fields[c->left] : &p->right.fields[c->right];
    const char *suffix = left ? opts->suffix_left : opts->suffix_right;
    struct bp_buf name = {0};
    const char *str;
    int rc;

    if (!suffix)
        suffix = left ? "" : "_r";
    if ((left && c->right >= 0) || !named(p, !left, f->name))
        suffix = "";
    BP_GO(bp_buf_printf(&name, err, "%s%s", f->name, suffix));
    str = bp_buf_str(&name, err);
    rc = str ? bp_schema_add(s, str, f->type, err) : err->code;
    if (rc == 0) {
        struct bp_field *to = &s->fields[s->n_fields - 1];

        to->dict = f->dict;
        to->nullable = f->nullable || (left ? p->keeps_right : p->keeps_left);
    }
out:
    bp_buf_release(&name);
    return rc;
}

static int refuse_twice(const struct bp_schema *s, struct bp_err *err)
{
    for (int i = 0; i < s->n_fields; i++)
        for (int j = 0; j < i; j++)
            if (!strcmp(s->fields[i].name, s->fields[j].name))
                return bp_fail(err, BP_EUSAGE,
                               "two columns of the result would be named '%s': rename one (bp-map "
                               "-r) or give other suffixes (--suffix _left,_right)",
                               s->fields[i].name);
    return 0;
}

static int make_schemas(struct bp_join_plan *p, const struct bp_join_opts *opts, struct bp_err *err)
{
    for (int i = 0; i < p->n_cols; i++)
        BP_TRY(add_column(p, &p->cols[i], opts, &p->combined, err));
    if (p->only_left)
        return bp_schema_copy(&p->schema, &p->left, err);
    BP_TRY(refuse_twice(&p->combined, err));
    return bp_schema_copy(&p->schema, &p->combined, err);
}

static int bind_where(struct bp_join_plan *p, const struct bp_clause *where, struct bp_err *err)
{
    if (!where)
        return 0;
    p->where_uses = bp_mem_new((size_t)p->n_cols, sizeof *p->where_uses, err);
    if (!p->where_uses)
        return err->code;
    BP_TRY(bp_expr_parse_where(where, &p->combined, &p->where, err));
    bp_expr_mark_columns(p->where, p->where_uses);
    return 0;
}

/* ---- the missing side ---- */

static bool is_key(const struct bp_join_plan *p, bool left, int col)
{
    for (int i = 0; i < p->n_keys; i++)
        if ((left ? p->keys[i].left : p->keys[i].right) == col)
            return true;
    return false;
}

static int fill_column(struct bp_column *out, const struct bp_field *f, const char *fill,
                       struct bp_err *err)
{
    char type[BP_TYPE_NAME_MAX];
    struct bp_builder b;
    bp_int128 value = 0;
    int rc;

    switch (bp_text_parse(f->type, fill, strlen(fill), &value)) {
    case BP_TEXT_OK: break;
    case BP_TEXT_RANGE:
        return bp_fail(err, BP_EUSAGE, "--fill %s does not fit column '%s', which is %s", fill,
                       f->name, bp_type_name(f->type, type));
    default:
        return bp_fail(err, BP_EUSAGE, "--fill %s is no value for column '%s', which is %s", fill,
                       f->name, bp_type_name(f->type, type));
    }
    bp_builder_init(&b, f->type);
    rc = bp_builder_add(&b, &value, err);
    if (rc == 0)
        rc = bp_builder_finish(&b, out, err);
    bp_builder_release(&b);
    return rc;
}

static int make_missing(struct bp_join_plan *p, bool left, const char *fill, struct bp_err *err)
{
    const struct bp_schema *s = left ? &p->left : &p->right;
    struct bp_batch *out = left ? &p->left_missing : &p->right_missing;
    bool *filled = bp_mem_new((size_t)s->n_fields, sizeof *filled, err);

    if (!filled)
        return err->code;
    *(left ? &p->left_filled : &p->right_filled) = filled;
    BP_TRY(bp_batch_init(out, s->n_fields, err));
    out->n_rows = 1;
    for (int i = 0; i < s->n_fields; i++) {
        const struct bp_field *f = &s->fields[i];

        filled[i] = fill && bp_type_is_number(f->type) && !is_key(p, left, i) &&
                    (left ? p->keeps_right : p->keeps_left);
        p->has_fill |= filled[i];
        BP_TRY(filled[i] ? fill_column(&out->cols[i], f, fill, err)
                         : bp_column_nulls(&out->cols[i], f->type, 1, err));
    }
    return 0;
}

/* ---- all of it ---- */

static int plan(struct bp_join_plan *p, const struct bp_schema *left, const struct bp_schema *right,
                const struct bp_join_opts *opts, struct bp_err *err)
{
    p->type = opts->type;
    p->keeps_left = p->type == BP_JOIN_LEFT || p->type == BP_JOIN_FULL;
    p->keeps_right = p->type == BP_JOIN_RIGHT || p->type == BP_JOIN_FULL;
    p->only_left = p->type == BP_JOIN_SEMI || p->type == BP_JOIN_ANTI;
    if (opts->fill && !p->keeps_left && !p->keeps_right)
        return bp_fail(err, BP_EUSAGE,
                       "--fill: no side can be missing in a join of this type "
                       "(-t left, right or full)");
    BP_TRY(bp_schema_copy(&p->left, left, err));
    BP_TRY(bp_schema_copy(&p->right, right, err));
    BP_TRY(find_keys(p, opts->keys, err));
    BP_TRY(find_casts(p, err));
    BP_TRY(lay_out(p, err));
    BP_TRY(make_schemas(p, opts, err));
    BP_TRY(bind_where(p, opts->where, err));
    BP_TRY(make_missing(p, true, opts->fill, err));
    return make_missing(p, false, opts->fill, err);
}

int bp_join_plan_open(struct bp_join_plan *p, const struct bp_schema *left,
                      const struct bp_schema *right, const struct bp_join_opts *opts,
                      struct bp_err *err)
{
    memset(p, 0, sizeof *p);
    return plan(p, left, right, opts, err);
}

void bp_join_plan_release(struct bp_join_plan *p)
{
    for (int i = 0; i < p->n_keys; i++) {
        bp_expr_free(p->keys[i].left_cast);
        bp_expr_free(p->keys[i].right_cast);
    }
    bp_mem_free(p->keys);
    bp_schema_release(&p->left);
    bp_schema_release(&p->right);
    bp_mem_free(p->cols);
    bp_schema_release(&p->combined);
    bp_schema_release(&p->schema);
    bp_expr_free(p->where);
    bp_mem_free(p->where_uses);
    bp_batch_release(&p->left_missing);
    bp_batch_release(&p->right_missing);
    bp_mem_free(p->left_filled);
    bp_mem_free(p->right_filled);
    memset(p, 0, sizeof *p);
}
