/* SPDX-License-Identifier: Apache-2.0 */
/* A call in the grammar's tree: what is refused, arguments by name, then the function. */
#include <string.h>

#include "expr/function.h"

static bool is_volatile(const char *name)
{
    static const char *const names[] = {"now",
                                        "random",
                                        "clock_timestamp",
                                        "statement_timestamp",
                                        "timeofday",
                                        "setseed",
                                        "transaction_timestamp",
                                        "pg_sleep",
                                        "gen_random_uuid"};

    for (size_t i = 0; i < BP_COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static int bind_try(struct bp_bind *b, int tok, struct bp_node *a, struct bp_node **out)
{
    struct bp_node *nd;

    BP_TRY(bp_settle(b, &a));
    nd = bp_node_new(b, BP_N_TRY, a->type, tok, 1);
    if (!nd)
        return b->err->code;
    nd->args[0] = a;
    return bp_node_finish(b, nd, out);
}

/* f(name => x, ...): in their places, 0 where one is left out. */
static int bind_named_args(struct bp_bind *b, int tok, const char *fn, json_t *list,
                           struct bp_node ***nds, int *n)
{
    const char *const *names = bp_fn_arg_names(fn);
    int given = (int)json_array_size(list), at;

    for (at = 0; names && names[at]; at++)
        ;
    *nds = bp_arena_alloc(&b->e->mem, (size_t)(at + given + 1) * sizeof **nds, b->err);
    if (!*nds)
        return b->err->code;
    *n = 0;
    for (int i = 0; i < given; i++) {
        json_t *body, *item = json_array_get(list, (size_t)i);
        const char *name;

        at = i;
        if (strcmp(bp_tree_kind(item, &body), "NamedArgExpr") == 0 && names) {
            name = json_string_value(json_object_get(body, "name"));
            for (at = 0; names[at] && strcmp(names[at], name) != 0; at++)
                ;
            if (!names[at])
                return bp_bind_fail(b, bp_bind_tok(b, body), "%s() has no argument %s", fn, name);
            item = json_object_get(body, "arg");
        }
        for (; *n <= at; (*n)++)
            BP_TRY(bp_bind_number(b, tok, "0", &(*nds)[*n]));
        BP_TRY(bp_bind_expr(b, item, &(*nds)[at]));
    }
    return 0;
}

int bp_bind_call(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    json_t *names = json_object_get(body, "funcname");
    const char *name = bp_tree_string(json_array_get(names, json_array_size(names) - 1));
    const char *room = bp_tree_string(json_array_get(names, 0));
    int tok = bp_bind_tok(b, body), n = 0;
    struct bp_node **args;

    if (!name || (json_array_size(names) > 1 && strcmp(room, "pg_catalog") != 0))
        return bp_bind_fail(b, tok, "functions have no schema in front");
    if (json_object_get(body, "over"))
        return bp_bind_fail(b, tok, "window functions are not part of an expression");
    if (json_object_get(body, "agg_star") || json_object_get(body, "agg_filter") ||
        json_object_get(body, "agg_distinct") || json_object_get(body, "agg_order"))
        return bp_bind_fail(b, tok, "%s() is an aggregate: those belong to bp-reduce", name);
    if (json_object_get(body, "func_variadic"))
        return bp_bind_fail(b, tok, "variadic has no place here");
    if (is_volatile(name))
        return bp_bind_fail(b, tok,
                            "%s() would make every run different: pass the value with -v "
                            "NAME=VALUE and write :NAME",
                            name);
    BP_TRY(bind_named_args(b, tok, name, json_object_get(body, "args"), &args, &n));
    if (strcmp(name, "try") == 0 && n == 1)
        return bind_try(b, tok, args[0], out);
    return bp_bind_function(b, tok, name, args, n, out);
}
