/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x IN (list). A long list of constants becomes a hash table of their bytes,
 * made once; anything else is x = a OR x = b ..., which is also what the NULL
 * rules are taken from: not found is NULL if the list holds a NULL.
 */
#include "base/simd.h"

#include <string.h>

#include "base/hash.h"
#include "expr/bind.h"
#include "expr/text_arg.h"

#define TABLE_FROM 5 /* constants; fewer are compared one by one */

struct table {
    uint64_t mask, seed;
    struct bp_vec values; /* a column of all constants, plain */
    int32_t *slot;        /* row in values, or -1 */
    bool has_null;
};

static uint64_t hash_bytes(const struct table *t, const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    if (n == 8)
        return bp_mix64(bp_load_u64(p), t->seed);
    if (n == 4)
        return bp_mix64(bp_load_u32(p), t->seed);
    if (n > 8)
        return bp_xxh3_seeded(p, n, t->seed);
    memcpy(&v, p, n);
    return bp_mix64(v, t->seed);
}

/* Value i as bytes. -0 and NaN are not looked for: floats have no table. */
static inline const uint8_t *value_bytes(const struct bp_vec *v, int64_t i, size_t width, size_t *n)
{
    if (!width)
        return arg_bytes(v, i, n);
    *n = width;
    return (const uint8_t *)v->c.data + (size_t)(v->one ? 0 : i) * width;
}

static inline bool same_bytes(const uint8_t *p, const uint8_t *q, size_t n)
{
    if (n == 8)
        return bp_load_u64(p) == bp_load_u64(q);
    return n == 4 ? bp_load_u32(p) == bp_load_u32(q) : memcmp(p, q, n) == 0;
}

/* The slot that holds p[0, n), or the empty one where it belongs. */
static inline uint64_t find_slot(const struct table *t, const uint8_t *p, size_t n, size_t width)
{
    uint64_t at = hash_bytes(t, p, n) & t->mask;
    size_t k;

    for (;; at = (at + 1) & t->mask) {
        const uint8_t *q;

        if (t->slot[at] < 0)
            return at;
        q = value_bytes(&t->values, t->slot[at], width, &k);
        if (k == n && same_bytes(p, q, n))
            return at;
    }
}

/* op: 1 for NOT IN. */
static int run_in(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct table *t = r->node->param;
    size_t width = bp_type_width_bytes(args[0].c.type);
    bool negate = r->node->op;
    void *bits;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &bits, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        size_t n;
        const uint8_t *p = value_bytes(&args[0], i, width, &n);

        bp_bit_put(bits, i, (t->slot[find_slot(t, p, n, width)] >= 0) != negate);
    }
    if (t->has_null) { /* what was not found is NULL, and as bits: false */
        struct bp_block *valid;

        BP_TRY(bp_block_new(&valid, bp_bits_bytes(r->n) + 8, r->ev->err));
        for (size_t i = 0; i < bp_bits_bytes(r->n); i++)
            valid->data[i] = (uint8_t)(((uint8_t *)bits)[i] ^ (negate ? 0xff : 0));
        bp_vec_set_valid(out, valid);
    }
    return 0;
}

const struct bp_column *bp_node_in_values(const struct bp_node *nd)
{
    const struct table *t = nd->param;

    return nd->kind == BP_N_CALL && nd->run == run_in && !nd->op ? &t->values.c : NULL;
}

static bool has_table(struct bp_type t)
{
    return !bp_type_is_float(t) && t.kind != BP_BOOL && t.kind != BP_INTERVAL;
}

/* The constants that have a's own type go into one column. *all false: there is one
 * that has not. */
static int collect(struct bp_bind *b, int tok, struct bp_node *a, struct bp_node **list, int n,
                   struct bp_builder *values, struct table *t, bool *all)
{
    for (int i = 0; i < n && *all; i++) {
        struct bp_node *c = list[i], *left = a;

        if (bp_node_is_null(c)) {
            t->has_null = true;
            continue;
        }
        BP_TRY(bp_bind_match(b, tok, &left, &c));
        *all = left == a && bp_node_is_const(c) && bp_type_equal(c->type, a->type);
        if (*all)
            BP_TRY(bp_builder_add_rows(values, &c->value, 0, 1, b->err));
    }
    return 0;
}

static int fill(struct bp_bind *b, struct table *t, struct bp_column *values)
{
    uint64_t cap = 16;
    size_t width = bp_type_width_bytes(values->type);
    struct bp_node *keep;

    while (cap < (uint64_t)values->n_rows * 2)
        cap *= 2;
    t->mask = cap - 1;
    t->seed = bp_table_seed();
    t->slot = bp_arena_alloc(&b->e->mem, cap * sizeof *t->slot, b->err);
    if (!t->slot) {
        bp_column_release(values);
        return b->err->code;
    }
    memset(t->slot, 0xff, cap * sizeof *t->slot);
    BP_TRY(bp_node_const(b, 0, values, &keep)); /* owned by the expression from here */
    t->values = (struct bp_vec){.c = keep->value};
    for (int64_t i = 0; i < t->values.c.n_rows; i++) {
        size_t n;
        const uint8_t *p = value_bytes(&t->values, i, width, &n);

        t->slot[find_slot(t, p, n, width)] = (int32_t)i;
    }
    return 0;
}

/* *out NULL: no table for this one. */
static int bind_table(struct bp_bind *b, int tok, bool negate, struct bp_node *a,
                      struct bp_node **list, int n, struct bp_node **out)
{
    struct table *t = bp_arena_alloc(&b->e->mem, sizeof *t, b->err);
    struct bp_call c = {.run = run_in,
                        .op = negate,
                        .type = BP_TYPE(BP_BOOL),
                        .param = t,
                        .slow = true,
                        .on_dict = true};
    struct bp_builder values;
    struct bp_column col;
    bool all = true;
    int rc;

    *out = NULL;
    if (!t)
        return b->err->code;
    if (bp_type_is_nested(a->type))
        return 0;
    bp_builder_init(&values, a->type);
    rc = collect(b, tok, a, list, n, &values, t, &all);
    if (rc >= 0 && all)
        rc = bp_builder_finish(&values, &col, b->err);
    bp_builder_release(&values);
    if (rc < 0 || !all)
        return rc;
    BP_TRY(fill(b, t, &col));
    return bp_node_call(b, tok, &c, &a, 1, out);
}

int bp_bind_in(struct bp_bind *b, int tok, bool negate, struct bp_node *a, struct bp_node **list,
               int n, struct bp_node **out)
{
    struct bp_node **terms;

    if (n >= TABLE_FROM && has_table(a->type) && a->kind != BP_N_LITERAL && !bp_node_is_const(a)) {
        BP_TRY(bind_table(b, tok, negate, a, list, n, out));
        if (*out)
            return 0;
    }
    terms = bp_arena_alloc(&b->e->mem, (size_t)n * sizeof *terms, b->err);
    if (!terms)
        return b->err->code;
    for (int i = 0; i < n; i++)
        BP_TRY(bp_bind_compare(b, tok, negate ? BP_NE : BP_EQ, a, list[i], &terms[i]));
    if (n > 1)
        return bp_bind_logic(b, tok, negate, terms, n, out);
    *out = terms[0];
    return 0;
}
