/* SPDX-License-Identifier: Apache-2.0 */
/* Which function is meant. */
#include "expr/function.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bp_fn_table *const tables[] = {
    &bp_fns_text, &bp_fns_number, &bp_fns_time,           &bp_fns_from_char, &bp_fns_choice,
    &bp_fns_math, &bp_fns_piece,  &bp_fns_code,           &bp_fns_regex,     &bp_fns_make,
    &bp_fns_age,  &bp_fns_alias,  &bp_fns_epoch,          &bp_fns_zone,      &bp_fns_to_char,
    &bp_fns_bits, &bp_fns_angle,  &bp_fns_to_char_number, &bp_fns_to_number, &bp_fns_known,
    &bp_fns_list};

#define NO_WAY 1000

/* What it costs to pass nd where `want` stands. */
static int arg_cost(const struct bp_node *nd, int want)
{
    static const uint8_t rank[BP_N_KINDS] = {
        [BP_INT8] = 1,       [BP_UINT8] = 1,       [BP_INT16] = 2,   [BP_UINT16] = 2,
        [BP_INT32] = 3,      [BP_UINT32] = 4,      [BP_INT64] = 5,   [BP_UINT64] = 6,
        [BP_DECIMAL] = 7,    [BP_FLOAT32] = 8,     [BP_FLOAT64] = 9, [BP_DATE] = 11,
        [BP_TIMESTAMP] = 12, [BP_TIMESTAMPTZ] = 13};
    int have = nd->type.kind;

    if (want == BP_ANY || want == BP_RAW || have == want)
        return 0;
    if (nd->kind == BP_N_LITERAL)
        return want == BP_TEXT ? 1 : 2;
    if (want == BP_INT)
        return bp_type_is_int(nd->type) ? 0 : NO_WAY;
    if (nd->literal && want == BP_FLOAT64)
        return 4;
    if (!rank[have] || !rank[want] || rank[have] >= rank[want] ||
        (rank[have] < 10) != (rank[want] < 10))
        return NO_WAY;
    if (want == BP_UINT8 || want == BP_UINT16 || want == BP_UINT32 || want == BP_UINT64)
        return NO_WAY;
    if (bp_type_is_int(nd->type) && want >= BP_FLOAT32) /* as PostgreSQL: rather a float64 */
        return want == BP_FLOAT64 ? 20 : 30;
    if (have == BP_DATE) /* again as PostgreSQL */
        return want == BP_TIMESTAMPTZ ? 2 : 3;
    return 2 + rank[want] - rank[have];
}

/* What argument i of f takes; 0: it takes no such argument. */
static int arg_want(const struct bp_fn *f, int i)
{
    int k;

    for (k = 0; k < i && f->args[k]; k++)
        if (f->args[k + 1] == BP_MORE)
            return f->args[k];
    return f->args[k] == BP_MORE ? f->args[k - 1] : f->args[k];
}

static int call_cost(const struct bp_fn *f, struct bp_node *const *args, int n)
{
    int cost = 0, need = 0;

    while (f->args[need] && f->args[need] != BP_MORE)
        need++;
    if (n < need)
        return NO_WAY;
    for (int i = 0; i < n; i++) {
        int want = arg_want(f, i);

        cost += want ? arg_cost(args[i], want) : NO_WAY;
    }
    return cost;
}

static const struct bp_fn *find(const char *name, struct bp_node *const *args, int n, bool *known)
{
    const struct bp_fn *best = NULL;
    int best_cost = NO_WAY;

    *known = false;
    for (size_t t = 0; t < BP_COUNT_OF(tables); t++)
        for (int i = 0; i < tables[t]->n; i++) {
            const struct bp_fn *f = &tables[t]->fns[i];
            int cost;

            if (strcmp(f->name, name) != 0)
                continue;
            *known = true;
            cost = call_cost(f, args, n);
            if (cost < best_cost) {
                best = f;
                best_cost = cost;
            }
        }
    return best;
}

/* ---- what to say when there is none ---- */

static bool is_aggregate(const char *name)
{
    static const char *const names[] = {"count",
                                        "sum",
                                        "avg",
                                        "min",
                                        "max",
                                        "stddev",
                                        "variance",
                                        "var_pop",
                                        "var_samp",
                                        "stddev_pop",
                                        "bool_and",
                                        "bool_or",
                                        "every",
                                        "first",
                                        "last",
                                        "any_value",
                                        "max_by",
                                        "min_by",
                                        "string_agg",
                                        "array_agg",
                                        "median",
                                        "mode",
                                        "stddev_samp",
                                        "corr",
                                        "percentile_cont",
                                        "percentile_disc",
                                        "approx_count_distinct",
                                        "approx_percentile"};

    for (size_t i = 0; i < BP_COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static int no_function(struct bp_bind *b, int tok, const char *name, struct bp_node *const *args,
                       int n, bool known)
{
    char list[400] = "", t[BP_TYPE_NAME_MAX];
    size_t len = 0;

    if (!known && is_aggregate(name))
        return bp_bind_fail(b, tok, "%s() is an aggregate: those belong to bp-reduce", name);
    if (!known)
        return bp_bind_fail(b, tok, "there is no function %s(); bp-expr(7) lists them", name);
    for (int i = 0; i < n && len + BP_TYPE_NAME_MAX + 4 < sizeof list; i++) {
        const char *s =
            args[i]->kind == BP_N_LITERAL ? "a literal" : bp_type_name(args[i]->type, t);

        memcpy(list + len, i ? ", " : "", i ? 2 : 0);
        len += i ? 2 : 0;
        memcpy(list + len, s, strlen(s) + 1);
        len += strlen(s);
    }
    return bp_bind_fail(b, tok, "%s() does not take (%s); bp-expr(7) lists what it takes", name,
                        list);
}

/* ---- the list ---- */

/* What the grammar takes without a table. */
static const char *const forms[] = {
    "coalesce(any, ...) -> any",
    "nullif(any, any) -> any",
    "try(any) -> any",
};

static const char *kind_name(int kind, char buf[BP_TYPE_NAME_MAX])
{
    struct bp_type t = {.kind = (uint8_t)kind};

    if (kind == BP_ANY || kind == BP_RAW)
        return "any";
    if (kind == BP_INT)
        return "whole number";
    if (kind == BP_LIST)
        return "list";
    if (kind == BP_DECIMAL)
        return "decimal";
    if (kind == BP_TIMESTAMP || kind == BP_TIMESTAMPTZ || kind == BP_TIME)
        t.unit = BP_MICRO;
    return bp_type_name(t, buf);
}

static int line_of(const struct bp_fn *f, char *line, size_t cap)
{
    char type[BP_TYPE_NAME_MAX];
    int n = snprintf(line, cap, "%s(", f->name);

    for (int i = 0; f->args[i]; i++)
        n += snprintf(line + n, cap - (size_t)n, "%s%s", i ? ", " : "",
                      f->args[i] == BP_MORE ? "..." : kind_name(f->args[i], type));
    return n + snprintf(line + n, cap - (size_t)n, ") -> %s", kind_name(f->result, type));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int bp_expr_functions(struct bp_buf *out, struct bp_err *err)
{
    struct bp_arena mem = {0};
    char **lines, line[512];
    size_t n = BP_COUNT_OF(forms), k = 0;
    int rc = 0;

    for (size_t t = 0; t < BP_COUNT_OF(tables); t++)
        n += (size_t)tables[t]->n;
    lines = bp_arena_alloc(&mem, n * sizeof *lines, err);
    if (!lines)
        return err->code;
    for (; k < BP_COUNT_OF(forms); k++)
        BP_GO((lines[k] = bp_arena_str(&mem, forms[k], err)) ? 0 : err->code);
    for (size_t t = 0; t < BP_COUNT_OF(tables); t++)
        for (int i = 0; i < tables[t]->n; i++) {
            const struct bp_fn *f = &tables[t]->fns[i];

            if (f->name[0] < 'a' || f->name[0] > 'z') /* operators */
                continue;
            (void)line_of(f, line, sizeof line);
            BP_GO((lines[k] = bp_arena_str(&mem, line, err)) ? 0 : err->code);
            k++;
        }
    qsort(lines, k, sizeof *lines, by_text);
    for (size_t i = 0; i < k; i++)
        if (i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
            BP_GO(bp_buf_printf(out, err, "%s\n", lines[i]));
out:
    bp_arena_release(&mem);
    return rc;
}

/* ---- the call ---- */

const char *const *bp_fn_arg_names(const char *name)
{
    static const char *const interval[] = {"years", "months", "weeks", "days",
                                           "hours", "mins",   "secs",  NULL};

    return strcmp(name, "make_interval") == 0 ? interval : NULL;
}

static int coerce_args(struct bp_bind *b, const struct bp_fn *f, struct bp_node **args, int n)
{
    for (int i = 0; i < n; i++) {
        int want = arg_want(f, i);
        struct bp_type t = {.kind = (uint8_t)want};

        if (want == BP_ANY)
            BP_TRY(bp_settle(b, &args[i]));
        if (want == BP_ANY || want == BP_RAW || args[i]->type.kind == want)
            continue;
        if (want == BP_LIST && args[i]->kind == BP_N_LITERAL)
            return bp_bind_fail(b, args[i]->tok,
                                "the type of this list is not known: array[...] has one");
        if (want == BP_INT) {
            if (args[i]->kind == BP_N_LITERAL)
                BP_TRY(bp_coerce(b, &args[i], BP_TYPE(BP_INT64)));
            continue;
        }
        if (want == BP_TIMESTAMP || want == BP_TIMESTAMPTZ || want == BP_TIME)
            t.unit = BP_MICRO;
        if (want == BP_DECIMAL)
            t = bp_type_is_number(args[i]->type)
                    ? bp_promote_numbers(args[i]->type, BP_TYPE_DECIMAL(1, 0))
                    : BP_TYPE_DECIMAL(38, 0);
        BP_TRY(bp_coerce(b, &args[i], t));
    }
    return 0;
}

int bp_bind_function(struct bp_bind *b, int tok, const char *name, struct bp_node **given, int n,
                     struct bp_node **out)
{
    struct bp_call c = {0};
    struct bp_node **args;
    const struct bp_fn *f;
    bool known;

    f = find(name, given, n, &known);
    if (!f)
        return no_function(b, tok, name, given, n, known);
    args = bp_arena_alloc(&b->e->mem, (size_t)(n + 1) * sizeof *args, b->err);
    if (!args)
        return b->err->code;
    if (n)
        memcpy(args, given, (size_t)n * sizeof *args);
    BP_TRY(coerce_args(b, f, args, n));
    c.run = f->run;
    c.op = f->op;
    c.type = f->result == BP_ANY ? args[0]->type : BP_TYPE(f->result);
    if (c.type.kind == BP_TIMESTAMP || c.type.kind == BP_TIMESTAMPTZ || c.type.kind == BP_TIME)
        c.type.unit = f->result == BP_ANY ? args[0]->type.unit : BP_MICRO;
    c.fallible = f->flags & BP_FN_FALLIBLE;
    c.lax = f->flags & BP_FN_LAX;
    c.on_dict = !(f->flags & (BP_FN_PER_ROW | BP_FN_LAX));
    c.slow = !(f->flags & BP_FN_CHEAP);
    c.keep_dict = f->flags & BP_FN_DICT;
    if (f->bind) {
        *out = NULL;
        BP_TRY(f->bind(b, tok, args, &n, &c));
    }
    if (!c.run) { /* bind found that the first argument is the answer */
        *out = args[0];
        return 0;
    }
    return bp_node_call(b, tok, &c, args, n, out);
}
