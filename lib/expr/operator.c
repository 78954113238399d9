/* SPDX-License-Identifier: Apache-2.0 */
/* Which operator is meant, by its name and the types of its sides. */
#include <string.h>

#include "expr/bind.h"

static const struct {
    const char *name;
    enum bp_cmp op;
} comparisons[] = {{"=", BP_EQ},  {"<>", BP_NE}, {"<", BP_LT},
                   {"<=", BP_LE}, {">", BP_GT},  {">=", BP_GE}};

static const char *type_name(const struct bp_node *nd, char buf[BP_TYPE_NAME_MAX])
{
    if (nd->kind == BP_N_LITERAL)
        return nd->literal ? "a literal" : "null";
    return bp_type_name(nd->type, buf);
}

static int no_operator(struct bp_bind *b, int tok, const char *op, const struct bp_node *l,
                       const struct bp_node *r)
{
    char nl[BP_TYPE_NAME_MAX], nr[BP_TYPE_NAME_MAX];
    const char *hint = "";

    if (strcmp(op, "+") == 0 && (l->type.kind == BP_TEXT || r->type.kind == BP_TEXT))
        hint = "; texts are joined with ||";
    else if (strcmp(op, "%") == 0 && (bp_type_is_float(l->type) || bp_type_is_float(r->type)))
        hint = "; cast to decimal";
    return bp_bind_fail(b, tok, "there is no operator %s for %s and %s%s", op, type_name(l, nl),
                        type_name(r, nr), hint);
}

/* Operators of other languages. */
static int foreign(struct bp_bind *b, int tok, const char *op, const struct bp_node *l,
                   const struct bp_node *r)
{
    if (strcmp(op, "==") == 0 || strcmp(op, "===") == 0)
        return bp_bind_fail(b, tok, "%s is not SQL: use =", op);
    if (strcmp(op, "!==") == 0)
        return bp_bind_fail(b, tok, "%s is not SQL: use <>", op);
    if (strcmp(op, "&&") == 0)
        return bp_bind_fail(b, tok, "&& is not SQL: use and");
    if (strcmp(op, "=~") == 0)
        return bp_bind_fail(b, tok, "=~ is not SQL: use ~");
    return no_operator(b, tok, op, l, r);
}

static int bind_comparison(struct bp_bind *b, int tok, enum bp_cmp op, struct bp_node *l,
                           struct bp_node *r, struct bp_node **out)
{
    if (bp_node_is_null(l) || bp_node_is_null(r)) {
        if (op == BP_EQ || op == BP_NE)
            return bp_bind_fail(b, tok, "nothing is equal or unequal to null: use %s",
                                op == BP_EQ ? "is null" : "is not null");
        return bp_bind_fail(b, tok, "nothing compares with null");
    }
    return bp_bind_compare(b, tok, op, l, r, out);
}

/* ---- arithmetic ---- */

/* ubigint with a bare number that is not negative stays ubigint. */
static int adopt_unsigned(struct bp_bind *b, struct bp_node *l, struct bp_node **r)
{
    int64_t v;
    uint64_t u;

    if (l->type.kind != BP_UINT64 || !(*r)->literal || !bp_node_const_int(*r, &v) || v < 0)
        return 0;
    u = (uint64_t)v;
    return bp_node_const_fixed(b, (*r)->tok, l->type, &u, r);
}

static int as_decimal(struct bp_bind *b, struct bp_node **nd)
{
    struct bp_type zero = BP_TYPE_DECIMAL(1, 0);

    if ((*nd)->type.kind == BP_DECIMAL)
        return 0;
    return bp_coerce(b, nd, bp_promote_numbers((*nd)->type, zero));
}

static int bind_decimals(struct bp_bind *b, int tok, enum bp_arith op, struct bp_node *l,
                         struct bp_node *r, struct bp_node **out)
{
    struct bp_call c = {.run = bp_run_decimal, .op = (uint8_t)op, .fallible = true};
    int scale;

    BP_TRY(as_decimal(b, &l));
    BP_TRY(as_decimal(b, &r));
    scale = bp_decimal_scale((int)op, l->type, r->type);
    if (scale > 38)
        return bp_bind_fail(b, tok,
                            "the product would have %d digits behind the point (38 at most): "
                            "round() a factor first",
                            scale);
    c.type = BP_TYPE_DECIMAL(38, (uint8_t)scale);
    return bp_node_call(b, tok, &c, (struct bp_node *[]){l, r}, 2, out);
}

/* x / 3 cannot fail: the divisor is known. */
static bool may_fail(enum bp_arith op, struct bp_type t, const struct bp_node *r)
{
    int64_t v;

    return bp_type_is_float(t) || (op != BP_DIV && op != BP_MOD) || !bp_node_const_int(r, &v) ||
           v == 0 || v == -1;
}

static int bind_numbers(struct bp_bind *b, int tok, enum bp_arith op, struct bp_node *l,
                        struct bp_node *r, struct bp_node **out)
{
    struct bp_call c = {.op = (uint8_t)op};

    BP_TRY(adopt_unsigned(b, l, &r));
    BP_TRY(adopt_unsigned(b, r, &l));
    c.type = bp_promote_numbers(l->type, r->type);
    if (c.type.kind == BP_DECIMAL)
        return bind_decimals(b, tok, op, l, r, out);
    if (op == BP_MOD && bp_type_is_float(c.type))
        return no_operator(b, tok, "%", l, r);
    BP_TRY(bp_coerce(b, &l, c.type));
    BP_TRY(bp_coerce(b, &r, c.type));
    c.run = bp_arith_kernel(c.type.kind);
    c.fallible = may_fail(op, c.type, r);
    return bp_node_call(b, tok, &c, (struct bp_node *[]){l, r}, 2, out);
}

static int bind_arith(struct bp_bind *b, int tok, enum bp_arith op, struct bp_node *l,
                      struct bp_node *r, struct bp_node **out)
{
    static const char *const names[] = {"+", "-", "*", "/", "%"};

    *out = NULL;
    if (l->kind == BP_N_LITERAL && bp_type_is_number(r->type))
        BP_TRY(bp_coerce(b, &l, r->type));
    if (r->kind == BP_N_LITERAL && bp_type_is_number(l->type))
        BP_TRY(bp_coerce(b, &r, l->type));
    if (bp_type_is_number(l->type) && bp_type_is_number(r->type))
        return bind_numbers(b, tok, op, l, r, out);
    if (l->kind == BP_N_LITERAL && r->kind == BP_N_LITERAL)
        return bp_bind_fail(b, tok, "the types of both sides are unknown: cast one, as in %s",
                            "'1'::int");
    BP_TRY(bp_bind_moment(b, tok, op, l, r, out));
    return *out ? 0 : no_operator(b, tok, names[op], l, r);
}

int bp_bind_negate(struct bp_bind *b, int tok, struct bp_node *a, struct bp_node **out)
{
    struct bp_call c = {.fallible = true};
    char name[BP_TYPE_NAME_MAX];

    if (a->kind == BP_N_LITERAL)
        return bp_bind_fail(b, tok, "the type of the value is unknown: cast it, as in %s",
                            "'1'::int");
    c.type = a->type;
    c.run = bp_negate_kernel(a->type.kind);
    if (c.run) {
        c.fallible = bp_type_is_int(a->type);
        return bp_node_call(b, tok, &c, &a, 1, out);
    }
    *out = NULL;
    BP_TRY(bp_bind_moment(b, tok, BP_SUB, NULL, a, out));
    if (*out)
        return 0;
    return bp_bind_fail(b, tok, "%s has no minus%s", bp_type_name(a->type, name),
                        bp_type_is_int(a->type) ? ": cast to a signed type" : "");
}

/* ---- || ---- */

static int bind_concat(struct bp_bind *b, int tok, struct bp_node *l, struct bp_node *r,
                       struct bp_node **out)
{
    struct bp_node *args[2] = {l, r};

    if (l->type.kind == BP_BOOL && r->type.kind == BP_BOOL)
        return bp_bind_fail(b, tok, "|| joins texts: use or");
    if (l->type.kind != BP_TEXT && r->type.kind != BP_TEXT && l->kind != BP_N_LITERAL &&
        r->kind != BP_N_LITERAL && l->type.kind != BP_BINARY)
        return no_operator(b, tok, "||", l, r);
    for (int i = 0; i < 2; i++) {
        bool binary = args[1 - i]->type.kind == BP_BINARY;

        if (args[i]->kind == BP_N_LITERAL)
            BP_TRY(bp_coerce(b, &args[i], BP_TYPE(binary ? BP_BINARY : BP_TEXT)));
        else if (args[i]->type.kind != BP_TEXT && args[i]->type.kind != BP_BINARY)
            BP_TRY(bp_bind_cast(b, args[i]->tok, args[i], BP_TYPE(BP_TEXT), &args[i]));
    }
    if (args[0]->type.kind != args[1]->type.kind)
        return no_operator(b, tok, "||", l, r);
    return bp_bind_function(b, tok, "||", args, 2, out);
}

int bp_bind_operator(struct bp_bind *b, int tok, const char *op, struct bp_node *l,
                     struct bp_node *r, struct bp_node **out)
{
    static const char arith[] = "+-*/%";
    const char *a = strchr(arith, op[0]);

    for (size_t i = 0; i < BP_COUNT_OF(comparisons); i++)
        if (strcmp(op, comparisons[i].name) == 0)
            return bind_comparison(b, tok, comparisons[i].op, l, r, out);
    if (a && op[1] == '\0')
        return bind_arith(b, tok, (enum bp_arith)(a - arith), l, r, out);
    if (strcmp(op, "||") == 0)
        return bind_concat(b, tok, l, r, out);
    if (op[strspn(op, "!")] == '~' && strspn(op, "!~*") == strlen(op) && strlen(op) <= 3)
        return bp_bind_regex(b, tok, op, l, r, out);
    if (op[1] == '\0' ? op[0] == '&' || op[0] == '|' || op[0] == '#'
                      : strcmp(op, "<<") == 0 || strcmp(op, ">>") == 0)
        return bp_bind_function(b, tok, op, (struct bp_node *[]){l, r}, 2, out);
    if (strcmp(op, "^@") == 0)
        return bp_bind_function(b, tok, "starts_with", (struct bp_node *[]){l, r}, 2, out);
    if (strcmp(op, "^") == 0)
        return bp_bind_function(b, tok, "power", (struct bp_node *[]){l, r}, 2, out);
    return foreign(b, tok, op, l, r);
}
