/* SPDX-License-Identifier: Apache-2.0 */
/* NOT, AND, OR, and the tests of NULL and truth. */
#include "base/simd.h"

#include <string.h>

#include "expr/bind.h"

static int run_not(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const uint8_t *a = args[0].c.data;
    uint8_t *bits;
    void *data;

    BP_TRY(bp_vec_fixed(out, BP_TYPE(BP_BOOL), r->n, &data, r->ev->err));
    bits = data;
    for (size_t i = 0; i < bp_bits_bytes(r->n); i++)
        bits[i] = (uint8_t)~a[i];
    return 0;
}

/* op: 1 for IS NULL. */
static int run_null_test(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_column *c = &args[0].c;
    uint8_t *bits, flip = r->node->op ? 0xff : 0;
    void *data;

    BP_TRY(bp_vec_fixed(out, BP_TYPE(BP_BOOL), r->n, &data, r->ev->err));
    bits = data;
    if (!c->n_nulls) {
        memset(bits, flip ? 0 : 0xff, bp_bits_bytes(r->n));
        return 0;
    }
    for (size_t i = 0; i < bp_bits_bytes(r->n); i++)
        bits[i] = (uint8_t)(c->valid[i] ^ flip);
    return 0;
}

static int run_truth_test(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_column *c = &args[0].c;
    const uint8_t *t = c->data;
    int op = r->node->op;
    uint8_t *bits;
    void *data;

    BP_TRY(bp_vec_fixed(out, BP_TYPE(BP_BOOL), r->n, &data, r->ev->err));
    bits = data;
    for (size_t i = 0; i < bp_bits_bytes(r->n); i++) {
        uint8_t valid = c->n_nulls ? c->valid[i] : 0xff;
        uint8_t v = op == BP_IS_TRUE || op == BP_IS_NOT_TRUE ? t[i] : (uint8_t)(~t[i] & valid);

        bits[i] = op == BP_IS_NOT_TRUE || op == BP_IS_NOT_FALSE ? (uint8_t)~v : v;
    }
    return 0;
}

static int need_bool(struct bp_bind *b, const char *what, struct bp_node **a)
{
    char name[BP_TYPE_NAME_MAX];

    if ((*a)->kind == BP_N_LITERAL)
        return bp_coerce(b, a, BP_TYPE(BP_BOOL));
    if ((*a)->type.kind == BP_BOOL)
        return 0;
    return bp_bind_fail(b, (*a)->tok, "%s takes conditions, and this is %s", what,
                        bp_type_name((*a)->type, name));
}

int bp_bind_not(struct bp_bind *b, int tok, struct bp_node *a, struct bp_node **out)
{
    struct bp_call c = {.run = run_not, .type = BP_TYPE(BP_BOOL)};

    BP_TRY(need_bool(b, "not", &a));
    return bp_node_call(b, tok, &c, &a, 1, out);
}

int bp_bind_logic(struct bp_bind *b, int tok, bool is_and, struct bp_node **args, int n,
                  struct bp_node **out)
{
    struct bp_node *nd = bp_node_new(b, is_and ? BP_N_AND : BP_N_OR, BP_TYPE(BP_BOOL), tok, n);

    if (!nd)
        return b->err->code;
    for (int i = 0; i < n; i++) {
        BP_TRY(need_bool(b, is_and ? "and" : "or", &args[i]));
        nd->args[i] = args[i];
    }
    return bp_node_finish(b, nd, out);
}

int bp_bind_null_test(struct bp_bind *b, int tok, bool is_null, struct bp_node *a,
                      struct bp_node **out)
{
    struct bp_call c = {.run = run_null_test,
                        .op = is_null,
                        .type = BP_TYPE(BP_BOOL),
                        .lax = true,
                        .keep_dict = true};

    BP_TRY(bp_settle(b, &a));
    return bp_node_call(b, tok, &c, &a, 1, out);
}

bool bp_node_is_null_test(const struct bp_node *nd, bool *is_null)
{
    *is_null = nd->op;
    return nd->kind == BP_N_CALL && nd->run == run_null_test;
}

int bp_bind_truth_test(struct bp_bind *b, int tok, enum bp_truth_test t, struct bp_node *a,
                       struct bp_node **out)
{
    struct bp_call c = {
        .run = run_truth_test, .op = (uint8_t)t, .type = BP_TYPE(BP_BOOL), .lax = true};

    BP_TRY(need_bool(b, "is true", &a));
    return bp_node_call(b, tok, &c, &a, 1, out);
}
