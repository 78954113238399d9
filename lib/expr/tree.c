/* SPDX-License-Identifier: Apache-2.0 */
#include "expr/tree.h"

#include <pg_query.h>
#include <string.h>

#include "base/mem.h"
#include "flow/json.h"

struct wrap {
    const struct bp_toks *toks;
    int a, b;
    const struct bp_clause *clause;
    const struct bp_schema *schema;
    bool *quote; /* token is a keyword that stands for a column */
    int *at;
    struct bp_buf sql;
    struct bp_arena *mem;
    struct bp_err *err;
};

static int put_var(struct wrap *w, int i)
{
    const struct bp_tok *k = &w->toks->tok[i];
    const char *name = w->toks->text + k->from + 1;
    size_t n = (size_t)(k->to - k->from) - 1;

    for (int v = 0; v < w->clause->n_vars; v++)
        if (strlen(w->clause->vars[v].name) == n && memcmp(w->clause->vars[v].name, name, n) == 0)
            return bp_buf_printf(&w->sql, w->err, "$%d", v + 1);
    return bp_fail_at(w->err, w->toks->text, k->from,
                      "no variable :%.*s: set it with -v %.*s=VALUE", (int)n, name, (int)n, name);
}

/* SELECT ( tokens ), each token's place noted. */
static int build(struct wrap *w)
{
    w->sql.len = 0;
    BP_TRY(bp_buf_puts(&w->sql, "SELECT (", w->err));
    for (int i = w->a; i < w->b; i++) {
        const struct bp_tok *k = &w->toks->tok[i];
        const char *q = w->quote[i - w->a] ? "\"" : "";

        if (i > w->a && k->gap)
            BP_TRY(bp_buf_puts(&w->sql, k->newline ? "\n" : " ", w->err));
        w->at[i - w->a] = (int)w->sql.len;
        if (k->kind == BP_TOK_VAR)
            BP_TRY(put_var(w, i));
        else
            BP_TRY(bp_buf_printf(&w->sql, w->err, "%s%.*s%s", q, (int)(k->to - k->from),
                                 w->toks->text + k->from, q));
    }
    return bp_buf_puts(&w->sql, ")", w->err);
}

static bool is_column(struct wrap *w, int i)
{
    char name[256];
    const struct bp_tok *k = &w->toks->tok[i];
    size_t n = (size_t)(k->to - k->from);

    if (!w->schema || k->kind != BP_TOK_WORD || n >= sizeof name)
        return false;
    memcpy(name, w->toks->text + k->from, n);
    name[n] = '\0';
    return bp_schema_find(w->schema, name) >= 0;
}

/* The token that a parse error points at; b for the end. Cursor positions count
 * characters from 1. */
static int error_token(struct wrap *w, int cursor)
{
    const uint8_t *s = w->sql.data;
    size_t byte = 0;
    int i;

    for (int c = 1; c < cursor && byte < w->sql.len; c++)
        for (byte++; byte < w->sql.len && (s[byte] & 0xc0) == 0x80; byte++)
            ;
    for (i = w->a; i < w->b && w->at[i - w->a] < (int)byte; i++)
        ;
    if (i > w->a && i <= w->b && (i == w->b || w->at[i - w->a] > (int)byte) &&
        w->at[i - 1 - w->a] + (w->toks->tok[i - 1].to - w->toks->tok[i - 1].from) > (int)byte)
        i--;
    return i;
}

/* A keyword that is a column, at the error or right before it, gets its quotes:
 * true if there was one to quote. */
static bool quote_column(struct wrap *w, int i)
{
    for (int k = i; k >= i - 1; k--)
        if (k >= w->a && k < w->b && !w->quote[k - w->a] && is_column(w, k)) {
            w->quote[k - w->a] = true;
            return true;
        }
    return false;
}

/* These begin a subquery, which no clause has: the grammar would see one. */
static void quote_starters(struct wrap *w)
{
    for (int i = w->a; i < w->b; i++)
        if ((bp_tok_is_word(w->toks, i, "select") || bp_tok_is_word(w->toks, i, "table")) &&
            is_column(w, i))
            w->quote[i - w->a] = true;
}

static int syntax_error(struct wrap *w, int i, const char *message)
{
    const char *text = w->toks->text;

    if (i >= w->b && (!strncmp(message, "syntax error", 12)))
        return bp_fail_at(w->err, text, w->toks->tok[w->b - 1].to,
                          "the expression is not complete");
    if (bp_tok_is(w->toks, i, "="))
        if (i > w->a && (bp_tok_is(w->toks, i - 1, "=") || bp_tok_is(w->toks, i - 1, "!")))
            return bp_fail_at(w->err, text, w->toks->tok[i].from, "use = and <>");
    if (strncmp(message, "syntax error", 12) != 0)
        return bp_fail_at(w->err, text, i < w->b ? w->toks->tok[i].from : 0, "%s", message);
    return bp_fail_at(w->err, text, w->toks->tok[i].from, "syntax error at '%.*s'",
                      (int)(w->toks->tok[i].to - w->toks->tok[i].from),
                      text + w->toks->tok[i].from);
}

static int load(struct wrap *w, const char *json, struct bp_tree *t)
{
    struct bp_err why = {0};
    json_t *stmts, *select, *targets, *res, *body, *v;
    const char *key;

    if (!json)
        return bp_fail_oom(w->err, w->sql.len);
    if (bp_json_read(json, "tree", &t->doc, &why) < 0)
        return why.code == BP_ENOMEM ? bp_fail_oom(w->err, strlen(json))
                                     : bp_fail_at(w->err, w->toks->text, w->toks->tok[w->a].from,
                                                  "the expression is nested too deeply");
    stmts = json_object_get(t->doc, "stmts");
    select = json_object_get(json_object_get(json_array_get(stmts, 0), "stmt"), "SelectStmt");
    targets = json_object_get(select, "targetList");
    if (json_array_size(stmts) != 1 || json_array_size(targets) != 1)
        return bp_fail_at(w->err, w->toks->text, w->toks->tok[w->a].from,
                          "this is not one expression");
    json_object_foreach(
        select, key, v) if (strcmp(key, "targetList") != 0 && strcmp(key, "limitOption") != 0 &&
                            strcmp(key, "op") !=
                                0) return bp_fail_at(w->err, w->toks->text, w->toks->tok[w->a].from,
                                                     "this is not one expression but a statement");
    bp_tree_kind(json_array_get(targets, 0), &res);
    json_object_foreach(res, key, v) if (strcmp(key, "val") != 0 &&
                                         strcmp(key, "location") !=
                                             0) return bp_fail_at(w->err, w->toks->text,
                                                                  w->toks->tok[w->a].from,
                                                                  "this is not one expression");
    t->expr = json_object_get(res, "val");
    if (!t->expr || !bp_tree_kind(t->expr, &body))
        return bp_fail_at(w->err, w->toks->text, w->toks->tok[w->a].from,
                          "this is not one expression");
    return 0;
}

static int parse(struct wrap *w, struct bp_tree *t)
{
    for (;;) {
        PgQueryParseResult r;
        const char *sql;
        int i, rc;

        BP_TRY(build(w));
        sql = bp_buf_str(&w->sql, w->err);
        if (!sql)
            return w->err->code;
        r = pg_query_parse(sql);
        if (!r.error) {
            rc = load(w, r.parse_tree, t);
            pg_query_free_parse_result(r);
            return rc;
        }
        if (strstr(r.error->message, "out of memory")) {
            pg_query_free_parse_result(r);
            return bp_fail_oom(w->err, w->sql.len);
        }
        i = error_token(w, r.error->cursorpos);
        if (quote_column(w, i)) {
            pg_query_free_parse_result(r);
            continue;
        }
        rc = syntax_error(w, i, r.error->message);
        pg_query_free_parse_result(r);
        return rc;
    }
}

int bp_tree_parse(struct bp_tree *t, const struct bp_toks *toks, int a, int b,
                  const struct bp_clause *c, const struct bp_schema *s, struct bp_arena *mem,
                  struct bp_err *err)
{
    struct wrap w = {
        .toks = toks, .a = a, .b = b, .clause = c, .schema = s, .mem = mem, .err = err};
    int rc;

    *t = (struct bp_tree){.toks = toks, .a = a, .b = b};
    if (a >= b)
        return bp_fail_at(err, toks->text, a < toks->n ? toks->tok[a].from : 0,
                          "an expression is missing here");
    w.quote = bp_arena_alloc(mem, (size_t)(b - a), err);
    w.at = bp_arena_alloc(mem, (size_t)(b - a) * sizeof *w.at, err);
    if (!w.quote || !w.at)
        return err->code;
    t->at = w.at;
    quote_starters(&w);
    rc = parse(&w, t);
    bp_buf_release(&w.sql);
    if (rc < 0)
        bp_tree_release(t);
    return rc;
}

void bp_tree_release(struct bp_tree *t)
{
    json_decref(t->doc);
    t->doc = t->expr = NULL;
}

int bp_tree_token(const struct bp_tree *t, json_int_t location)
{
    int lo = 0, hi = t->b - t->a;

    if (location < 0)
        return -1;
    while (hi - lo > 1) {
        int mid = lo + (hi - lo) / 2;

        if (t->at[mid] <= location)
            lo = mid;
        else
            hi = mid;
    }
    return t->a + lo;
}

const char *bp_tree_kind(json_t *node, json_t **body)
{
    void *it = node ? json_object_iter(node) : NULL;

    *body = it ? json_object_iter_value(it) : NULL;
    return it ? json_object_iter_key(it) : NULL;
}

const char *bp_tree_string(json_t *node)
{
    return json_string_value(json_object_get(json_object_get(node, "String"), "sval"));
}
