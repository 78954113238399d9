/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that other engines have for what our functions and operators do. Each row's bind
 * writes the call out in those: no kernel, no node of its own.
 */
#include <string.h>

#include "expr/function.h"

/* The node is the answer. */
static int answer(struct bp_node **args, struct bp_node *nd, struct bp_call *c)
{
    args[0] = nd;
    c->run = NULL;
    return 0;
}

static int bigint(struct bp_bind *b, int tok, int64_t v, struct bp_node **out)
{
    return bp_node_const_fixed(b, tok, BP_TYPE(BP_INT64), &v, out);
}

/* ---- choices ---- */

static int bind_ifnull(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *nd = bp_node_new(b, BP_N_COALESCE, BP_TYPE(BP_NO_TYPE), tok, 2);

    if (!nd)
        return b->err->code;
    BP_TRY(bp_unify(b, tok, "the arguments", args, *n, 1, &nd->type));
    memcpy(nd->args, args, 2 * sizeof *args);
    BP_TRY(bp_node_finish(b, nd, &nd));
    return answer(args, nd, c);
}

static int make_if(struct bp_bind *b, int tok, struct bp_node *test, struct bp_node **arms,
                   struct bp_node **out)
{
    struct bp_node *nd = bp_node_new(b, BP_N_CASE, BP_TYPE(BP_NO_TYPE), tok, 3);

    if (!nd)
        return b->err->code;
    BP_TRY(bp_unify(b, tok, "the results", arms, 2, 1, &nd->type));
    nd->args[0] = test;
    nd->args[1] = arms[0];
    nd->args[2] = arms[1];
    return bp_node_finish(b, nd, out);
}

static int bind_if(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *nd;

    (void)n;
    BP_TRY(bp_coerce(b, &args[0], BP_TYPE(BP_BOOL)));
    BP_TRY(make_if(b, tok, args[0], args + 1, &nd));
    return answer(args, nd, c);
}

static int bind_nvl2(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *nd;

    (void)n;
    BP_TRY(bp_settle(b, &args[0]));
    BP_TRY(bp_bind_null_test(b, tok, false, args[0], &nd));
    BP_TRY(make_if(b, tok, nd, args + 1, &nd));
    return answer(args, nd, c);
}

/* ---- text ---- */

static int same_as(struct bp_bind *b, int tok, const char *name, struct bp_node **args, int n,
                   struct bp_call *c)
{
    struct bp_node *nd;

    BP_TRY(bp_bind_function(b, tok, name, args, n, &nd));
    return answer(args, nd, c);
}

static int bind_startswith(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                           struct bp_call *c)
{
    return same_as(b, tok, "starts_with", args, *n, c);
}

static int bind_endswith(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                         struct bp_call *c)
{
    return same_as(b, tok, "ends_with", args, *n, c);
}

static int bind_instr(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    return same_as(b, tok, "strpos", args, *n, c);
}

static int bind_locate(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *swap = args[0];

    args[0] = args[1];
    args[1] = swap;
    return same_as(b, tok, "strpos", args, *n, c);
}

/* ---- days ---- */

static int as_date(struct bp_bind *b, struct bp_node **nd)
{
    if ((*nd)->kind == BP_N_LITERAL || (*nd)->type.kind == BP_DATE)
        return bp_coerce(b, nd, BP_TYPE(BP_DATE));
    return bp_bind_cast(b, (*nd)->tok, *nd, BP_TYPE(BP_DATE), nd);
}

/* A number of days moves a date, whatever the first argument is. */
static int date_step(struct bp_bind *b, int tok, const char *op, struct bp_node **args,
                     struct bp_call *c)
{
    struct bp_node *nd;

    if (args[0]->kind == BP_N_LITERAL || bp_type_is_int(args[1]->type))
        BP_TRY(as_date(b, &args[0]));
    BP_TRY(bp_bind_operator(b, tok, op, args[0], args[1], &nd));
    return answer(args, nd, c);
}

static int bind_date_add(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                         struct bp_call *c)
{
    (void)n;
    return date_step(b, tok, "+", args, c);
}

static int bind_date_sub(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                         struct bp_call *c)
{
    (void)n;
    return date_step(b, tok, "-", args, c);
}

/* days(end) - days(start) */
static int bind_days_between(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                             struct bp_call *c)
{
    struct bp_node *nd;

    (void)n;
    BP_TRY(as_date(b, &args[0]));
    BP_TRY(as_date(b, &args[1]));
    BP_TRY(bp_bind_operator(b, tok, "-", args[0], args[1], &nd));
    return answer(args, nd, c);
}

/* (d + n months)::date */
static int bind_add_months(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                           struct bp_call *c)
{
    struct bp_node *span[2], *nd;

    (void)n;
    BP_TRY(bigint(b, tok, 0, &span[0]));
    span[1] = args[1];
    BP_TRY(bp_bind_function(b, tok, "make_interval", span, 2, &nd));
    BP_TRY(bp_bind_operator(b, tok, "+", args[0], nd, &nd));
    BP_TRY(bp_bind_cast(b, tok, nd, BP_TYPE(BP_DATE), &nd));
    return answer(args, nd, c);
}

/* (date_trunc('month', d::timestamp) + '1 month')::date - 1 */
static int bind_last_day(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                         struct bp_call *c)
{
    const struct bp_interval month = {.months = 1};
    struct bp_node *cut[2], *nd;

    (void)n;
    cut[1] = args[0];
    BP_TRY(bp_bind_literal(b, tok, "month", &cut[0]));
    BP_TRY(bp_coerce(b, &cut[1], BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO)));
    BP_TRY(bp_bind_function(b, tok, "date_trunc", cut, 2, &cut[0]));
    BP_TRY(bp_node_const_fixed(b, tok, BP_TYPE(BP_INTERVAL), &month, &cut[1]));
    BP_TRY(bp_bind_operator(b, tok, "+", cut[0], cut[1], &nd));
    BP_TRY(bp_bind_cast(b, tok, nd, BP_TYPE(BP_DATE), &cut[0]));
    BP_TRY(bigint(b, tok, 1, &cut[1]));
    BP_TRY(bp_bind_operator(b, tok, "-", cut[0], cut[1], &nd));
    return answer(args, nd, c);
}

/* ---- fields ---- */

enum field { DAY_OF_MONTH, DAY_OF_YEAR, WEEK, ISO_DAY, ISO_YEAR, SECOND };

/* extract(field from x); a second is whole. */
static int bind_field(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    static const char *const names[] = {
        [DAY_OF_MONTH] = "day", [DAY_OF_YEAR] = "doy",  [WEEK] = "week",
        [ISO_DAY] = "isodow",   [ISO_YEAR] = "isoyear", [SECOND] = "microseconds"};
    struct bp_node *part[2], *nd;

    (void)n;
    part[1] = args[0];
    BP_TRY(bp_bind_literal(b, tok, names[c->op], &part[0]));
    BP_TRY(bp_bind_function(b, tok, "extract", part, 2, &nd));
    if (c->op == SECOND) {
        part[0] = nd;
        BP_TRY(bigint(b, tok, 1000000, &part[1]));
        BP_TRY(bp_bind_operator(b, tok, "/", part[0], part[1], &nd));
    }
    return answer(args, nd, c);
}

#define ALIAS(NAME, RESULT, BIND, ...)                                                             \
    {                                                                                              \
        .name = NAME, .result = RESULT, .bind = BIND, .args = { __VA_ARGS__ }                      \
    }
#define FIELD(NAME, OP)                                                                            \
    {.name = NAME, .result = BP_INT64, .bind = bind_field, .op = OP, .args = {BP_DATE}},           \
        {.name = NAME, .result = BP_INT64, .bind = bind_field, .op = OP, .args = {BP_TIMESTAMP}},  \
    {                                                                                              \
        .name = NAME, .result = BP_INT64, .bind = bind_field, .op = OP, .args = { BP_TIMESTAMPTZ } \
    }

static const struct bp_fn fns[] = {
    ALIAS("ifnull", BP_ANY, bind_ifnull, BP_RAW, BP_RAW),
    ALIAS("nvl", BP_ANY, bind_ifnull, BP_RAW, BP_RAW),
    ALIAS("nvl2", BP_ANY, bind_nvl2, BP_RAW, BP_RAW, BP_RAW),
    ALIAS("if", BP_ANY, bind_if, BP_BOOL, BP_RAW, BP_RAW),
    ALIAS("iff", BP_ANY, bind_if, BP_BOOL, BP_RAW, BP_RAW),
    ALIAS("iif", BP_ANY, bind_if, BP_BOOL, BP_RAW, BP_RAW),
    ALIAS("startswith", BP_BOOL, bind_startswith, BP_TEXT, BP_TEXT),
    ALIAS("endswith", BP_BOOL, bind_endswith, BP_TEXT, BP_TEXT),
    ALIAS("instr", BP_INT32, bind_instr, BP_TEXT, BP_TEXT),
    ALIAS("locate", BP_INT32, bind_locate, BP_TEXT, BP_TEXT),
    ALIAS("date_add", BP_DATE, bind_date_add, BP_RAW, BP_INT),
    ALIAS("date_add", BP_TIMESTAMP, bind_date_add, BP_RAW, BP_INTERVAL),
    ALIAS("date_sub", BP_DATE, bind_date_sub, BP_RAW, BP_INT),
    ALIAS("date_sub", BP_TIMESTAMP, bind_date_sub, BP_RAW, BP_INTERVAL),
    ALIAS("datediff", BP_INT32, bind_days_between, BP_RAW, BP_RAW),
    ALIAS("add_months", BP_DATE, bind_add_months, BP_TIMESTAMP, BP_INT64),
    ALIAS("last_day", BP_DATE, bind_last_day, BP_DATE),
    ALIAS("last_day", BP_DATE, bind_last_day, BP_TIMESTAMP),
    FIELD("dayofmonth", DAY_OF_MONTH),
    FIELD("dayofyear", DAY_OF_YEAR),
    FIELD("week", WEEK),
    FIELD("weekofyear", WEEK),
    FIELD("isodow", ISO_DAY),
    FIELD("isoyear", ISO_YEAR),
    {.name = "second", .result = BP_INT64, .bind = bind_field, .op = SECOND, .args = {BP_TIME}},
    {.name = "second",
     .result = BP_INT64,
     .bind = bind_field,
     .op = SECOND,
     .args = {BP_TIMESTAMP}},
    {.name = "second",
     .result = BP_INT64,
     .bind = bind_field,
     .op = SECOND,
     .args = {BP_TIMESTAMPTZ}},
};

const struct bp_fn_table bp_fns_alias = {fns, BP_COUNT_OF(fns)};
