/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar's nodes, one function each. */
#include "expr/bind.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_DEPTH 900

int bp_bind_tok(const struct bp_bind *b, json_t *body)
{
    json_t *l = json_object_get(body, "location");

    return l ? bp_tree_token(b->tree, json_integer_value(l)) : -1;
}

int bp_bind_fail(struct bp_bind *b, int tok, const char *fmt, ...)
{
    char msg[1400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    if (tok < 0)
        tok = b->tree->a;
    return bp_fail_at(b->err, b->toks->text, b->toks->tok[tok].from, "%s", msg);
}

/* The place of a body, or of what surrounds it. */
static int tok_or(const struct bp_bind *b, json_t *body, int other)
{
    int tok = bp_bind_tok(b, body);

    return tok >= 0 ? tok : other;
}

/* ---- columns ---- */

static int column_node(struct bp_bind *b, int tok, const char *name, struct bp_node **out)
{
    int i = b->schema ? bp_schema_find(b->schema, name) : -1;
    struct bp_node *nd;

    if (i == -2)
        return bp_bind_fail(
            b, tok, "'%s' is more than one column: write it exactly, in double quotes", name);
    if (i < 0)
        return bp_bind_no_column(b, tok, name);
    nd = bp_node_new(b, BP_N_COLUMN, b->schema->fields[i].type, tok, 0);
    if (!nd)
        return b->err->code;
    nd->column = i;
    *out = nd;
    return 0;
}

static int bind_column(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    json_t *fields = json_object_get(body, "fields");
    int tok = bp_bind_tok(b, body);
    char *name;

    if (json_object_get(json_array_get(fields, json_array_size(fields) - 1), "A_Star"))
        return bp_bind_fail(b, tok, "'*' is a list of all columns, not a value");
    if (json_array_size(fields) != 1)
        return bp_bind_fail(b, tok,
                            "columns have no table in front; a name that holds a dot is written "
                            "in double quotes");
    name = bp_tok_name(b->toks, tok, &b->e->mem, b->err);
    if (!name)
        return b->err->code;
    return column_node(b, tok, name, out);
}

/* user, current_date, default ...: a column of that name if there is one. */
static int bind_keyword(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    int tok = bp_bind_tok(b, body);
    char *name;

    if (tok < 0)
        return bp_bind_fail(b, tok, "this has no place in an expression");
    name = bp_tok_name(b->toks, tok, &b->e->mem, b->err);
    if (!name)
        return b->err->code;
    if (b->schema && bp_schema_find(b->schema, name) >= 0)
        return column_node(b, tok, name, out);
    return bp_bind_fail(b, tok,
                        "%s would make every run different: pass the value with -v NAME=VALUE and "
                        "write :NAME",
                        name);
}

/* ---- literals ---- */

/* libpg_query 15 leaves a value out of its JSON unless it is above zero: then it is
 * read at its place in the source, behind the minus. */
static int bind_integer(struct bp_bind *b, json_t *v, int tok, struct bp_node **out)
{
    json_int_t value = json_integer_value(json_object_get(v, "ival"));
    const struct bp_toks *t = b->toks;
    char text[24];

    for (int i = tok; value == 0 && i >= 0 && i < b->tree->b; i++) {
        if (t->tok[i].kind == BP_TOK_NUMBER) {
            value = -strtoll(t->text + t->tok[i].from, NULL, 10);
            break;
        }
        if (!bp_tok_is(t, i, "-") && !bp_tok_is(t, i, "+") && !bp_tok_is(t, i, "("))
            break;
    }
    snprintf(text, sizeof text, "%lld", (long long)value);
    return bp_bind_number(b, tok, text, out);
}

static int bind_const(struct bp_bind *b, json_t *body, int outer, struct bp_node **out)
{
    int tok = tok_or(b, body, outer);
    json_t *v;

    if (json_object_get(body, "isnull"))
        return bp_bind_literal(b, tok, NULL, out);
    v = json_object_get(body, "sval");
    if (v) {
        const char *s = json_string_value(json_object_get(v, "sval"));

        return bp_bind_literal(b, tok, s ? s : "", out);
    }
    if (json_object_get(body, "ival"))
        return bind_integer(b, json_object_get(body, "ival"), tok, out);
    v = json_object_get(body, "fval");
    if (v)
        return bp_bind_number(b, tok, json_string_value(json_object_get(v, "fval")), out);
    v = json_object_get(body, "boolval");
    if (v) {
        uint8_t yes = json_is_true(json_object_get(v, "boolval"));

        return bp_node_const_fixed(b, tok, BP_TYPE(BP_BOOL), &yes, out);
    }
    return bp_bind_fail(b, tok, "bit strings are not supported");
}

static int bind_param(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    json_int_t n = json_integer_value(json_object_get(body, "number"));
    int tok = bp_bind_tok(b, body);

    if (n < 1 || n > b->clause->n_vars)
        return bp_bind_fail(b, tok, "variables are :name, set with -v name=value");
    return bp_bind_literal(b, tok, b->clause->vars[n - 1].value, out);
}

/* ---- operators of the grammar ---- */

/* Members of a List, or of a plain array, bound; *nds in the arena. */
static int bind_list(struct bp_bind *b, json_t *list, struct bp_node ***nds, int *n)
{
    json_t *items = json_object_get(json_object_get(list, "List"), "items");
    json_t *arr = items ? items : list;

    *n = (int)json_array_size(arr);
    *nds = bp_arena_alloc(&b->e->mem, (size_t)(*n + 1) * sizeof **nds, b->err);
    if (!*nds)
        return b->err->code;
    for (int i = 0; i < *n; i++)
        BP_TRY(bp_bind_expr(b, json_array_get(arr, (size_t)i), &(*nds)[i]));
    return 0;
}

static int bind_between(struct bp_bind *b, int tok, struct bp_node *l, json_t *bounds, bool negate,
                        bool symmetric, struct bp_node **out)
{
    struct bp_node **v, *pair[2], *side[2];
    int n;

    BP_TRY(bind_list(b, bounds, &v, &n));
    if (n != 2)
        return bp_bind_fail(b, tok, "between needs two bounds");
    for (int s = 0; s < 1 + symmetric; s++) {
        BP_TRY(bp_bind_compare(b, tok, negate ? BP_LT : BP_GE, l, v[s], &pair[0]));
        BP_TRY(bp_bind_compare(b, tok, negate ? BP_GT : BP_LE, l, v[1 - s], &pair[1]));
        BP_TRY(bp_bind_logic(b, tok, !negate, pair, 2, &side[s]));
    }
    *out = side[0];
    return symmetric ? bp_bind_logic(b, tok, negate, side, 2, out) : 0;
}

static int bind_nullif(struct bp_bind *b, int tok, struct bp_node *l, struct bp_node *r,
                       struct bp_node **out)
{
    struct bp_node *nd;

    nd = bp_node_new(b, BP_N_CASE, l->type, tok, 3);
    if (!nd)
        return b->err->code;
    if (l->kind == BP_N_LITERAL && r->kind != BP_N_LITERAL)
        BP_TRY(bp_coerce(b, &l, r->type));
    BP_TRY(bp_settle(b, &l));
    nd->type = l->type;
    BP_TRY(bp_bind_compare(b, tok, BP_EQ, l, r, &nd->args[0]));
    BP_TRY(bp_node_null(b, tok, l->type, &nd->args[1]));
    nd->args[2] = l;
    return bp_node_finish(b, nd, out);
}

/* x like y escape z arrives as like(x, like_escape(y, z)). */
static int bind_like(struct bp_bind *b, int tok, const char *op, bool fold, struct bp_node *l,
                     json_t *right, struct bp_node **out)
{
    json_t *body, *args;
    struct bp_node *pattern, *escape = NULL;
    const char *kind = bp_tree_kind(right, &body);

    args = json_object_get(body, "args");
    if (kind && strcmp(kind, "FuncCall") == 0 && json_array_size(args) == 2) {
        json_t *names = json_object_get(body, "funcname");
        const char *fn = bp_tree_string(json_array_get(names, json_array_size(names) - 1));

        if (fn && strcmp(fn, "like_escape") == 0) {
            BP_TRY(bp_bind_expr(b, json_array_get(args, 1), &escape));
            right = json_array_get(args, 0);
        }
    }
    BP_TRY(bp_bind_expr(b, right, &pattern));
    return bp_bind_like(b, tok, op[0] == '!', fold, l, pattern, escape, out);
}

static int bind_op(struct bp_bind *b, int tok, const char *op, json_t *body, struct bp_node *l,
                   struct bp_node **out)
{
    static const char *const prefixes[][2] = {
        {"@", "abs"}, {"~", "~"}, {"|/", "sqrt"}, {"||/", "cbrt"}};
    char name[BP_TYPE_NAME_MAX];
    struct bp_node *r;

    BP_TRY(bp_bind_expr(b, json_object_get(body, "rexpr"), &r));
    if (l)
        return bp_bind_operator(b, tok, op, l, r, out);
    if (strcmp(op, "-") == 0)
        return bp_bind_negate(b, tok, r, out);
    if (strcmp(op, "+") == 0) {
        *out = r;
        return r->kind == BP_N_LITERAL || bp_type_is_number(r->type)
                   ? 0
                   : bp_bind_fail(b, tok, "%s has no plus", bp_type_name(r->type, name));
    }
    for (size_t i = 0; i < BP_COUNT_OF(prefixes); i++)
        if (strcmp(op, prefixes[i][0]) == 0)
            return bp_bind_function(b, tok, prefixes[i][1], &r, 1, out);
    return bp_bind_fail(b, tok, "there is no operator %s with one operand%s", op,
                        op[0] == '!' ? ": use not" : "");
}

static int bind_a_expr(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    const char *kind = json_string_value(json_object_get(body, "kind"));
    json_t *names = json_object_get(body, "name");
    const char *op = bp_tree_string(json_array_get(names, json_array_size(names) - 1));
    json_t *left = json_object_get(body, "lexpr"), *right = json_object_get(body, "rexpr");
    int tok = bp_bind_tok(b, body), n;
    struct bp_node *l = NULL, *r, **list;

    if (!kind || !op || json_array_size(names) != 1)
        return bp_bind_fail(b, tok, "operator() has no place here");
    kind += strlen("AEXPR_");
    if (left)
        BP_TRY(bp_bind_expr(b, left, &l));
    if (strcmp(kind, "OP") == 0)
        return bind_op(b, tok, op, body, l, out);
    if (strcmp(kind, "IN") == 0) {
        BP_TRY(bind_list(b, right, &list, &n));
        return bp_bind_in(b, tok, op[0] == '<', l, list, n, out);
    }
    if (strcmp(kind, "LIKE") == 0 || strcmp(kind, "ILIKE") == 0)
        return bind_like(b, tok, op, kind[0] == 'I', l, right, out);
    if (strstr(kind, "BETWEEN"))
        return bind_between(b, tok, l, right, strncmp(kind, "NOT", 3) == 0,
                            strstr(kind, "SYM") != NULL, out);
    if (strcmp(kind, "OP_ANY") == 0 || strcmp(kind, "OP_ALL") == 0 || strcmp(kind, "SIMILAR") == 0)
        return bp_bind_fail(b, tok, "%s is not supported: use in (...), or like",
                            kind[0] == 'S' ? "similar to" : "any and all");
    BP_TRY(bp_bind_expr(b, right, &r));
    if (strcmp(kind, "DISTINCT") == 0 || strcmp(kind, "NOT_DISTINCT") == 0)
        return bp_bind_distinct(b, tok, kind[0] == 'N', l, r, out);
    if (strcmp(kind, "NULLIF") == 0)
        return bind_nullif(b, tok, l, r, out);
    return bp_bind_fail(b, tok, "this operator is not supported");
}

static int bind_bool_expr(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    const char *op = json_string_value(json_object_get(body, "boolop"));
    int tok = bp_bind_tok(b, body), n;
    struct bp_node **args;

    BP_TRY(bind_list(b, json_object_get(body, "args"), &args, &n));
    if (op[0] == 'N')
        return bp_bind_not(b, tok, args[0], out);
    return bp_bind_logic(b, tok, op[0] == 'A', args, n, out);
}

static int bind_null_test(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    const char *t = json_string_value(json_object_get(body, "nulltesttype"));
    struct bp_node *a;

    BP_TRY(bp_bind_typed(b, json_object_get(body, "arg"), &a));
    return bp_bind_null_test(b, tok_or(b, body, a->tok), strcmp(t, "IS_NULL") == 0, a, out);
}

static int bind_boolean_test(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    const char *t = json_string_value(json_object_get(body, "booltesttype"));
    static const char *const names[] = {"IS_TRUE", "IS_NOT_TRUE", "IS_FALSE", "IS_NOT_FALSE"};
    char name[BP_TYPE_NAME_MAX];
    struct bp_node *a;
    int tok;

    BP_TRY(bp_bind_expr(b, json_object_get(body, "arg"), &a));
    tok = tok_or(b, body, a->tok);
    if (a->kind != BP_N_LITERAL && a->type.kind != BP_BOOL)
        return bp_bind_fail(b, tok,
                            "this takes a boolean, and this is %s: compare it with something",
                            bp_type_name(a->type, name));
    BP_TRY(bp_coerce(b, &a, BP_TYPE(BP_BOOL)));
    for (int i = 0; i < 4; i++)
        if (strcmp(t, names[i]) == 0)
            return bp_bind_truth_test(b, tok, (enum bp_truth_test)i, a, out);
    return bp_bind_null_test(b, tok, strcmp(t, "IS_UNKNOWN") == 0, a, out);
}

/* ---- branches ---- */

/* Args of a CASE node: conditions and results; the operand's comparisons made. */
static int case_args(struct bp_bind *b, json_t *body, struct bp_node *nd)
{
    json_t *whens = json_object_get(body, "args"), *arg = json_object_get(body, "arg");
    json_t *def = json_object_get(body, "defresult");
    struct bp_node *operand = NULL, *v;
    int n = (int)json_array_size(whens);

    if (arg)
        BP_TRY(bp_bind_expr(b, arg, &operand));
    for (int i = 0; i < n; i++) {
        json_t *when = json_object_get(json_array_get(whens, (size_t)i), "CaseWhen");
        int tok = bp_bind_tok(b, when);

        BP_TRY(bp_bind_expr(b, json_object_get(when, "expr"), &v));
        if (operand)
            BP_TRY(bp_bind_compare(b, tok, BP_EQ, operand, v, &v));
        else if (v->kind == BP_N_LITERAL)
            BP_TRY(bp_coerce(b, &v, BP_TYPE(BP_BOOL)));
        if (v->type.kind != BP_BOOL)
            return bp_bind_fail(b, v->tok, "the condition of when is not boolean");
        nd->args[2 * i] = v;
        BP_TRY(bp_bind_expr(b, json_object_get(when, "result"), &nd->args[2 * i + 1]));
    }
    if (def)
        return bp_bind_expr(b, def, &nd->args[2 * n]);
    return bp_bind_literal(b, nd->tok, NULL, &nd->args[2 * n]);
}

/* The token of the END that closes the CASE at tok. */
static int case_end(const struct bp_toks *t, int tok)
{
    int open = 0;

    for (int i = tok; i < t->n; i++) {
        open += bp_tok_is_word(t, i, "case");
        open -= bp_tok_is_word(t, i, "end");
        if (open == 0)
            return i;
    }
    return tok;
}

static int bind_case(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    int n = (int)json_array_size(json_object_get(body, "args")), tok = bp_bind_tok(b, body);
    struct bp_node *nd = bp_node_new(b, BP_N_CASE, BP_TYPE(BP_NO_TYPE), tok, 2 * n + 1);
    struct bp_node **results;

    if (!nd)
        return b->err->code;
    BP_TRY(case_args(b, body, nd));
    /* Results stand at 1, 3, ..., and the else at 2n. */
    results = bp_arena_alloc(&b->e->mem, (size_t)(n + 1) * sizeof *results, b->err);
    if (!results)
        return b->err->code;
    for (int i = 0; i <= n; i++)
        results[i] = nd->args[i < n ? 2 * i + 1 : 2 * n];
    BP_TRY(bp_unify(b, tok, "the results of case", results, n + 1, 1, &nd->type));
    for (int i = 0; i <= n; i++)
        nd->args[i < n ? 2 * i + 1 : 2 * n] = results[i];
    nd->last = case_end(b->toks, tok);
    return bp_node_finish(b, nd, out);
}

static int bind_coalesce(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    int tok = bp_bind_tok(b, body), n;
    struct bp_node *nd, **args;

    BP_TRY(bind_list(b, json_object_get(body, "args"), &args, &n));
    nd = bp_node_new(b, BP_N_COALESCE, BP_TYPE(BP_NO_TYPE), tok, n);
    if (!nd)
        return b->err->code;
    BP_TRY(bp_unify(b, tok, "the arguments of coalesce", args, n, 1, &nd->type));
    memcpy(nd->args, args, (size_t)n * sizeof *args);
    return bp_node_finish(b, nd, out);
}

static int bind_min_max(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    const char *op = json_string_value(json_object_get(body, "op"));
    struct bp_node **args;
    int n;

    BP_TRY(bind_list(b, json_object_get(body, "args"), &args, &n));
    return bp_bind_function(b, bp_bind_tok(b, body),
                            op && strcmp(op, "IS_LEAST") == 0 ? "least" : "greatest", args, n, out);
}

/* ---- casts ---- */

/* interval '1' day: the literal with its field, or NULL if the field is a range. */
static const char *interval_text(struct bp_bind *b, const char *s, json_int_t mask)
{
    static const struct {
        int bit;
        const char *name;
    } fields[] = {{1, "month"}, {2, "year"},    {3, "day"},
                  {10, "hour"}, {11, "minute"}, {12, "second"}};

    for (size_t i = 0; i < BP_COUNT_OF(fields); i++)
        if (mask == (json_int_t)1 << fields[i].bit) {
            size_t n = strspn(s, " +-0123456789.");

            return s[n] ? s : bp_arena_printf(&b->e->mem, b->err, "%s %s", s, fields[i].name);
        }
    return NULL;
}

static int interval_fields(struct bp_bind *b, int tok, json_t *type, struct bp_node *a)
{
    json_t *mods = json_object_get(type, "typmods"), *body;
    json_int_t mask;
    const char *s;

    if (!mods)
        return 0;
    bp_tree_kind(json_array_get(mods, 0), &body);
    mask = json_integer_value(json_object_get(json_object_get(body, "ival"), "ival"));
    s = a->kind == BP_N_LITERAL && a->literal ? interval_text(b, a->literal, mask) : NULL;
    if (b->err->code)
        return b->err->code;
    if (!s)
        return bp_bind_fail(b, tok, "write the interval whole, as in interval '1 day 02:00:00'");
    a->literal = s;
    return 0;
}

/* varchar(n) cuts; PostgreSQL pads char(n), which we have no type for. *to is set
 * if the type is one of these; *used is how many bytes of s name it. */
static int cast_text_type(struct bp_bind *b, int at, json_t *type, struct bp_type *to, size_t *used)
{
    json_t *names = json_object_get(type, "names");
    const char *name = bp_tree_string(json_array_get(names, json_array_size(names) - 1));
    int i = at;

    if (name && strcmp(name, "bpchar") == 0)
        return bp_bind_fail(b, at, "char(n) pads with blanks: use text, or varchar(n)");
    if (!name || strcmp(name, "varchar") != 0)
        return 0;
    *to = BP_TYPE(BP_TEXT);
    while (i + 1 < b->tree->b && b->toks->tok[i + 1].kind == BP_TOK_WORD)
        i++;
    if (bp_tok_is(b->toks, i + 1, "("))
        i = b->toks->tok[i + 1].match;
    *used = (size_t)(b->toks->tok[i].to - b->toks->tok[at].from);
    return 0;
}

static int cut_text(struct bp_bind *b, int tok, json_t *type, struct bp_node **out)
{
    json_t *mods = json_object_get(type, "typmods"), *body;
    struct bp_node *args[2];

    if (!mods)
        return 0;
    bp_tree_kind(json_array_get(mods, 0), &body);
    args[0] = *out;
    BP_TRY(bind_const(b, body, tok, &args[1]));
    return bp_bind_function(b, tok, "left", args, 2, out);
}

/* The type that a cast names, and how far its name goes. */
static int cast_type(struct bp_bind *b, int at, json_t *type, struct bp_type *to, size_t *used)
{
    const char *s = b->toks->text + b->toks->tok[at].from;
    struct bp_err why = {0};

    *to = BP_TYPE(BP_NO_TYPE);
    if (json_object_get(type, "arrayBounds") || json_object_get(type, "setof"))
        return bp_bind_fail(
            b, at, "nothing is cast to a list: array[...] and string_to_array() make them");
    BP_TRY(cast_text_type(b, at, type, to, used));
    if (!to->kind && bp_type_parse(s, strlen(s), used, to, &why) < 0)
        return bp_bind_fail(b, at, "%s", why.msg);
    return 0;
}

static int bind_cast(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    json_t *type = json_object_get(body, "typeName");
    int at = bp_bind_tok(b, type), tok, rc;
    json_t *where = json_object_get(body, "location");
    struct bp_type to;
    struct bp_node *a;
    size_t used;

    tok = where && json_integer_value(where) >= 0 ? bp_bind_tok(b, body) : at;
    BP_TRY(bp_bind_expr(b, json_object_get(body, "arg"), &a));
    BP_TRY(cast_type(b, at, type, &to, &used));
    if (to.kind == BP_INTERVAL)
        BP_TRY(interval_fields(b, at, type, a));
    if (a->kind == BP_N_LITERAL)
        BP_TRY(bp_literal_as(b, &a, to, true));
    for (int i = at; i < b->tree->b && b->toks->tok[i].from < b->toks->tok[at].from + (int)used;
         i++)
        b->reach = i;
    rc = bp_bind_cast(b, tok, a, to, out);
    b->reach = 0;
    BP_TRY(rc);
    return to.kind == BP_TEXT ? cut_text(b, at, type, out) : 0;
}

/* ---- lists and structs ---- */

static int bind_indirection(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    json_t *steps = json_object_get(body, "indirection");

    BP_TRY(bp_bind_expr(b, json_object_get(body, "arg"), out));
    for (size_t i = 0; i < json_array_size(steps); i++) {
        json_t *step;
        const char *kind = bp_tree_kind(json_array_get(steps, i), &step);
        const char *name = bp_tree_string(json_array_get(steps, i));
        struct bp_node *at;
        int tok = (*out)->tok;

        if (name) {
            BP_TRY(bp_bind_field(b, tok, *out, name, out));
            continue;
        }
        if (!kind || strcmp(kind, "A_Indices") != 0)
            return bp_bind_fail(b, tok, "(a).* has no place here: name the fields");
        if (json_object_get(step, "is_slice"))
            return bp_bind_fail(b, tok, "slices of lists, as in a[1:2], are not there yet");
        BP_TRY(bp_bind_expr(b, json_object_get(step, "uidx"), &at));
        BP_TRY(bp_bind_element(b, tok, *out, at, out));
    }
    return 0;
}

static int bind_array(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    json_t *elements = json_object_get(body, "elements");
    int n = (int)json_array_size(elements);
    struct bp_node **args = bp_arena_alloc(&b->e->mem, (size_t)(n + 1) * sizeof(*args), b->err);

    if (!args)
        return b->err->code;
    for (int i = 0; i < n; i++)
        BP_TRY(bp_bind_expr(b, json_array_get(elements, (size_t)i), &args[i]));
    return bp_bind_array(b, bp_bind_tok(b, body), args, n, out);
}

/* ---- all of them ---- */

static int bind_named_arg(struct bp_bind *b, json_t *body, struct bp_node **out)
{
    (void)out;
    return bp_bind_fail(b, bp_bind_tok(b, body), "arguments have no names");
}

static const struct {
    const char *kind;
    int (*bind)(struct bp_bind *b, json_t *body, struct bp_node **out);
} kinds[] = {
    {"A_ArrayExpr", bind_array},
    {"A_Expr", bind_a_expr},
    {"A_Indirection", bind_indirection},
    {"BoolExpr", bind_bool_expr},
    {"BooleanTest", bind_boolean_test},
    {"CaseExpr", bind_case},
    {"CoalesceExpr", bind_coalesce},
    {"ColumnRef", bind_column},
    {"FuncCall", bp_bind_call},
    {"MinMaxExpr", bind_min_max},
    {"NamedArgExpr", bind_named_arg},
    {"NullTest", bind_null_test},
    {"ParamRef", bind_param},
    {"SQLValueFunction", bind_keyword},
    {"SetToDefault", bind_keyword},
    {"TypeCast", bind_cast},
};

/* What a person would call a node that we do not take. */
static const char *plain_name(const char *kind)
{
    static const char *const names[][2] = {
        {"SubLink", "a subquery"},        {"RowExpr", "a row of values"},
        {"CollateClause", "collate"},     {"GroupingFunc", "grouping()"},
        {"XmlExpr", "an XML expression"}, {"CurrentOfExpr", "current of"},
    };

    for (size_t i = 0; i < BP_COUNT_OF(names); i++)
        if (strcmp(kind, names[i][0]) == 0)
            return names[i][1];
    return kind;
}

int bp_bind_expr(struct bp_bind *b, json_t *node, struct bp_node **out)
{
    json_t *body;
    const char *kind = bp_tree_kind(node, &body);
    int rc;

    if (!kind)
        return bp_bind_fail(b, -1, "the expression is not complete");
    if (strcmp(kind, "A_Const") == 0)
        return bind_const(b, body, b->tree->a, out);
    if (++b->depth > MAX_DEPTH)
        return bp_bind_fail(b, bp_bind_tok(b, body), "the expression is nested too deeply");
    for (size_t i = 0; i < BP_COUNT_OF(kinds); i++)
        if (strcmp(kind, kinds[i].kind) == 0) {
            rc = kinds[i].bind(b, body, out);
            b->depth--;
            return rc;
        }
    return bp_bind_fail(b, bp_bind_tok(b, body), "%s has no place in an expression",
                        plain_name(kind));
}

int bp_bind_typed(struct bp_bind *b, json_t *node, struct bp_node **out)
{
    BP_TRY(bp_bind_expr(b, node, out));
    return bp_settle(b, out);
}
