/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and structs: elements, fields, lengths, lists made of values and of text. What
 * picks elements numbers the rows of the child column and gathers them.
 */
#include <string.h>

#include "col/key.h"
#include "col/text.h"
#include "expr/function.h"
#include "expr/text_arg.h"

static const int32_t *offsets(const struct bp_vec *v, int64_t i)
{
    return (const int32_t *)v->c.data + (v->one ? 0 : i);
}

static bool is_null(const struct bp_vec *v, int64_t i)
{
    return bp_column_is_null(&v->c, v->one ? 0 : i);
}

/* ---- a[i] ---- */

static int run_element(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_block *b;
    int32_t *idx;
    int rc;

    BP_TRY(bp_block_new(&b, (size_t)r->n * sizeof *idx, r->ev->err));
    idx = (int32_t *)(void *)b->data;
    for (int64_t i = 0; i < r->n; i++) {
        bool none = is_null(&args[0], i) || is_null(&args[1], i);
        int64_t at = none ? 0 : ((const int64_t *)args[1].c.data)[args[1].one ? 0 : i];
        const int32_t *off = offsets(&args[0], i);

        idx[i] = none || at < 1 || at > off[1] - off[0] ? -1 : off[0] + (int32_t)(at - 1);
    }
    rc = bp_column_gather(out, &args[0].c.kids->cols[0], idx, r->n, r->ev->err);
    bp_block_unref(b);
    return rc;
}

int bp_bind_element(struct bp_bind *b, int tok, struct bp_node *list, struct bp_node *at,
                    struct bp_node **out)
{
    struct bp_call c = {.run = run_element, .lax = true, .slow = true};
    char name[BP_TYPE_NAME_MAX];

    if (list->type.kind != BP_LIST)
        return bp_bind_fail(b, tok, "%s has no elements: [ ] is for lists",
                            list->kind == BP_N_LITERAL ? "a literal"
                                                       : bp_type_name(list->type, name));
    if (at->kind != BP_N_LITERAL && !bp_type_is_int(at->type))
        return bp_bind_fail(b, tok, "a list's elements are numbered: %s is no whole number",
                            bp_type_name(at->type, name));
    BP_TRY(bp_coerce(b, &at, BP_TYPE(BP_INT64)));
    c.type = list->type.nest->kids[0];
    return bp_node_call(b, tok, &c, (struct bp_node *[]){list, at}, 2, out);
}

/* ---- (a).b ---- */

/* op is not wide enough for a field's number: param is the number. */
static int run_field(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    bp_column_ref(out, &args[0].c.kids->cols[*(const int *)r->node->param]);
    return 0;
}

int bp_bind_field(struct bp_bind *b, int tok, struct bp_node *a, const char *name,
                  struct bp_node **out)
{
    struct bp_call c = {.run = run_field, .lax = true};
    char type[BP_TYPE_NAME_MAX];
    int *at;

    if (a->type.kind != BP_STRUCT)
        return bp_bind_fail(b, tok, "%s has no fields",
                            a->kind == BP_N_LITERAL ? "a literal" : bp_type_name(a->type, type));
    at = bp_arena_alloc(&b->e->mem, sizeof *at, b->err);
    if (!at)
        return b->err->code;
    *at = bp_type_field(a->type, name, strlen(name));
    if (*at == -2)
        return bp_bind_fail(
            b, tok, "'%s' is more than one field: write it exactly, in double quotes", name);
    if (*at < 0)
        return bp_bind_fail(b, tok, "there is no field '%s' in %s", name,
                            bp_type_name(a->type, type));
    c.param = at;
    c.type = a->type.nest->kids[*at];
    return bp_node_call(b, tok, &c, &a, 1, out);
}

/* ---- array[a, b] ---- */

static int run_array(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int n = r->node->n_args, rc;
    const struct bp_column **src = bp_mem_new((size_t)n, sizeof(*src), r->ev->err);
    struct bp_block *refs = NULL;
    int64_t total = r->n * n;
    uint64_t *ref;
    int32_t *off;

    if (!src)
        return r->ev->err->code;
    *out = (struct bp_column){.type = r->node->type, .n_rows = r->n};
    if (total > INT32_MAX)
        BP_GO(bp_fail(r->ev->err, BP_EDATA, "more than 2147483647 elements in one batch of lists"));
    BP_GO(bp_block_new(&refs, (size_t)total * sizeof *ref, r->ev->err));
    BP_GO(bp_block_new(&out->own[1], ((size_t)r->n + 1) * sizeof *off, r->ev->err));
    ref = (uint64_t *)(void *)refs->data;
    out->data = off = (int32_t *)(void *)out->own[1]->data;
    for (int64_t i = 0; i <= r->n; i++)
        off[i] = (int32_t)(i * n);
    for (int a = 0; a < n; a++) {
        src[a] = &args[a].c;
        for (int64_t i = 0; i < r->n; i++)
            ref[i * n + a] = (uint64_t)a << 32 | (uint64_t)(args[a].one ? 0 : i);
    }
    BP_GO(bp_kids_new(&out->kids, 1, r->ev->err));
    rc = bp_column_gather_many(&out->kids->cols[0], src, n, ref, total, r->ev->err);
out:
    bp_block_unref(refs);
    bp_mem_free(src);
    if (rc < 0)
        bp_column_release(out);
    return rc;
}

int bp_bind_array(struct bp_bind *b, int tok, struct bp_node **args, int n, struct bp_node **out)
{
    struct bp_call c = {.run = run_array, .lax = true, .slow = true};
    struct bp_type elem;

    if (n == 0)
        return bp_bind_fail(b, tok, "the type of an empty array is not known");
    BP_TRY(bp_unify(b, tok, "the elements", args, n, 1, &elem));
    if (bp_type_list(elem, &c.type, b->err) < 0)
        return b->err->code;
    return bp_node_call(b, tok, &c, args, n, out);
}

/* ---- lengths ---- */

static int run_cardinality(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        const int32_t *off = offsets(&args[0], i);

        v[i] = off[1] - off[0];
    }
    return 0;
}

/* Of an empty list NULL, and of any dimension but the first. */
static int run_array_length(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_builder b;
    int rc = 0;

    bp_builder_init(&b, r->node->type);
    BP_GO(bp_builder_reserve(&b, r->n, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        bool none = is_null(&args[0], i) || is_null(&args[1], i);
        const int32_t *off = offsets(&args[0], i);
        int32_t n = off[1] - off[0];

        if (none || n == 0 || ((const int64_t *)args[1].c.data)[args[1].one ? 0 : i] != 1)
            BP_GO(bp_builder_add_null(&b, r->ev->err));
        else
            BP_GO(bp_builder_add(&b, &n, r->ev->err));
    }
    rc = bp_builder_finish(&b, out, r->ev->err);
out:
    bp_builder_release(&b);
    return rc;
}

/* The dimension as bigint. */
static int bind_array_length(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                             struct bp_call *c)
{
    (void)tok, (void)n, (void)c;
    return bp_coerce(b, &args[1], BP_TYPE(BP_INT64));
}

/* ---- membership ---- */

/* As = compares, but NULL is equal to NULL. */
static bool is_same(const struct bp_column *kid, int64_t at, const struct bp_vec *value, int64_t i)
{
    bool none = bp_column_is_null(kid, at);

    i = value->one ? 0 : i;
    if (none || bp_column_is_null(&value->c, i))
        return none && bp_column_is_null(&value->c, i);
    return bp_value_compare(kid, at, &value->c, i) == 0;
}

/* op 0: array_position, from 1, NULL where it is not there; 1: is it there? NULL is
 * found as any value is. */
static int run_position(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_column *kid = &args[0].c.kids->cols[0];
    struct bp_builder b;
    int rc = 0;

    bp_builder_init(&b, r->node->type);
    BP_GO(bp_builder_reserve(&b, r->n, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        const int32_t *off = offsets(&args[0], i);
        int32_t at = off[0];
        uint8_t found;

        while (at < off[1] && !is_same(kid, at, &args[1], i))
            at++;
        found = at < off[1];
        at -= off[0] - 1;
        if (is_null(&args[0], i) || (!r->node->op && !found))
            BP_GO(bp_builder_add_null(&b, r->ev->err));
        else
            BP_GO(bp_builder_add(&b, r->node->op ? (const void *)&found : &at, r->ev->err));
    }
    rc = bp_builder_finish(&b, out, r->ev->err);
out:
    bp_builder_release(&b);
    return rc;
}

/* What is looked for becomes an element, where that loses nothing. */
static int bind_position(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                         struct bp_call *c)
{
    struct bp_type element = args[0]->type.nest->kids[0], both = element;
    char list[BP_TYPE_NAME_MAX], value[BP_TYPE_NAME_MAX];

    (void)n, (void)c;
    if (args[1]->kind != BP_N_LITERAL &&
        (!bp_promote(element, args[1]->type, &both) || !bp_type_equal(both, element)))
        return bp_bind_fail(b, tok, "%s may hold no %s: cast one of the two",
                            bp_type_name(args[0]->type, list), bp_type_name(args[1]->type, value));
    return bp_coerce(b, &args[1], element);
}

/* ---- text ---- */

/* The elements' text between separators; NULLs as the third argument, or left out.
 * Lists within lists are walked through. */
static int join(const struct bp_column *c, int32_t from, int32_t to, const uint8_t *sep,
                size_t n_sep, const uint8_t *null, size_t n_null, struct bp_buf *text, bool *any,
                struct bp_err *err)
{
    for (int32_t k = from; k < to; k++) {
        bool none = bp_column_is_null(c, k);

        if (c->type.kind == BP_LIST && !none) {
            const int32_t *off = (const int32_t *)c->data + k;

            BP_TRY(
                join(&c->kids->cols[0], off[0], off[1], sep, n_sep, null, n_null, text, any, err));
            continue;
        }
        if (none && !null)
            continue;
        if (*any && n_sep)
            BP_TRY(bp_buf_append(text, sep, n_sep, err));
        *any = true;
        if (none && n_null)
            BP_TRY(bp_buf_append(text, null, n_null, err));
        else if (!none && c->type.kind == BP_BOOL)
            BP_TRY(bp_buf_puts(text, bp_bit_get(c->data, k) ? "t" : "f", err));
        else if (!none)
            BP_TRY(bp_text_append(c, k, text, err));
    }
    return 0;
}

static int run_to_string(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_buf text = {0};
    struct bp_builder b;
    int rc = 0;

    bp_builder_init(&b, r->node->type);
    for (int64_t i = 0; i < r->n; i++) {
        size_t n_sep = 0, n_null = 0;
        const uint8_t *sep, *null = NULL;
        const int32_t *off = offsets(&args[0], i);
        bool any = false;

        if (is_null(&args[0], i) || is_null(&args[1], i)) {
            BP_GO(bp_builder_add_null(&b, r->ev->err));
            continue;
        }
        sep = arg_bytes(&args[1], i, &n_sep);
        if (r->node->n_args == 3 && !is_null(&args[2], i))
            null = arg_bytes(&args[2], i, &n_null);
        text.len = 0;
        BP_GO(join(&args[0].c.kids->cols[0], off[0], off[1], sep, n_sep, null, n_null, &text, &any,
                   r->ev->err));
        BP_GO(bp_builder_add_bytes(&b, text.data, text.len, r->ev->err));
    }
    rc = bp_builder_finish(&b, out, r->ev->err);
out:
    bp_builder_release(&b);
    bp_buf_release(&text);
    return rc;
}

static size_t char_bytes(uint8_t c)
{
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* The pieces of s; sep NULL: its characters. A piece that is null is NULL. */
static int split(struct bp_builder *b, const uint8_t *s, size_t n, const uint8_t *sep, size_t n_sep,
                 const uint8_t *null, size_t n_null, struct bp_err *err)
{
    while (n || sep) {
        const uint8_t *hit = sep && n_sep ? memmem(s, n, sep, n_sep) : NULL;
        size_t len = !sep ? char_bytes(*s) : hit ? (size_t)(hit - s) : n;

        if (null && len == n_null && (!len || memcmp(s, null, len) == 0))
            BP_TRY(bp_builder_add_null(b, err));
        else
            BP_TRY(bp_builder_add_bytes(b, s, len, err));
        if (sep && !hit)
            break;
        s += len + n_sep;
        n -= len + n_sep;
    }
    return 0;
}

static int run_split(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_builder b;
    int rc = 0;

    bp_builder_init(&b, r->node->type);
    BP_GO(bp_builder_reserve(&b, r->n, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        const uint8_t *s, *sep = NULL, *null = NULL;
        size_t n, n_sep = 0, n_null = 0;

        if (is_null(&args[0], i)) {
            BP_GO(bp_builder_add_null(&b, r->ev->err));
            continue;
        }
        s = arg_bytes(&args[0], i, &n);
        if (!is_null(&args[1], i))
            sep = arg_bytes(&args[1], i, &n_sep);
        if (r->node->n_args == 3 && !is_null(&args[2], i))
            null = arg_bytes(&args[2], i, &n_null);
        if (n) /* of empty text an empty list */
            BP_GO(split(&b.kids[0], s, n, sep, n_sep, null, n_null, r->ev->err));
        BP_GO(bp_builder_add_nested(&b, r->ev->err));
    }
    rc = bp_builder_finish(&b, out, r->ev->err);
out:
    bp_builder_release(&b);
    return rc;
}

static int bind_texts_result(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                             struct bp_call *c)
{
    (void)tok, (void)args, (void)n;
    return bp_type_list(BP_TYPE(BP_TEXT), &c->type, b->err);
}

/* ---- unnest ---- */

static int run_unnest(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    (void)r;
    bp_column_ref(out, &args[0].c);
    return 0;
}

/* The list itself: whoever takes set-returning items makes rows of it. */
static int bind_unnest(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)args, (void)n, (void)c;
    if (!b->sets || b->depth != 1)
        return bp_bind_fail(b, tok,
                            "unnest() makes rows: it is an item of bp-map's list, for itself");
    b->e->is_unnest = true; /* also where the call is folded to a constant */
    return 0;
}

bool bp_expr_is_unnest(const struct bp_expr *e)
{
    return e->is_unnest;
}

static const struct bp_fn fns[] = {
    {.name = "cardinality",
     .args = {BP_LIST},
     .result = BP_INT32,
     .run = run_cardinality,
     .flags = BP_FN_CHEAP},
    {.name = "array_length",
     .args = {BP_LIST, BP_INT},
     .result = BP_INT32,
     .run = run_array_length,
     .flags = BP_FN_LAX,
     .bind = bind_array_length},
    {.name = "array_position",
     .args = {BP_LIST, BP_RAW},
     .result = BP_INT32,
     .run = run_position,
     .flags = BP_FN_LAX,
     .bind = bind_position},
    {.name = "array_contains",
     .args = {BP_LIST, BP_RAW},
     .result = BP_BOOL,
     .run = run_position,
     .op = 1,
     .flags = BP_FN_LAX,
     .bind = bind_position},
    {.name = "array_to_string",
     .args = {BP_LIST, BP_TEXT},
     .result = BP_TEXT,
     .run = run_to_string,
     .flags = BP_FN_LAX},
    {.name = "array_to_string",
     .args = {BP_LIST, BP_TEXT, BP_TEXT},
     .result = BP_TEXT,
     .run = run_to_string,
     .flags = BP_FN_LAX},
    {.name = "string_to_array",
     .args = {BP_TEXT, BP_TEXT},
     .result = BP_LIST,
     .run = run_split,
     .flags = BP_FN_LAX,
     .bind = bind_texts_result},
    {.name = "string_to_array",
     .args = {BP_TEXT, BP_TEXT, BP_TEXT},
     .result = BP_LIST,
     .run = run_split,
     .flags = BP_FN_LAX,
     .bind = bind_texts_result},
    {.name = "unnest",
     .args = {BP_LIST},
     .result = BP_ANY,
     .run = run_unnest,
     .flags = BP_FN_LAX,
     .bind = bind_unnest},
};

const struct bp_fn_table bp_fns_list = {fns, BP_COUNT_OF(fns)};
