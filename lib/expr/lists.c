/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists around expressions: ORDER BY, plain names, renames, the keys of a join,
 * the items of a list as texts.
 */
#include <stdio.h>
#include <string.h>

#include "expr/clause.h"

/* ---- ORDER BY ---- */

void bp_order_release(struct bp_order *o)
{
    for (int i = 0; i < o->n; i++) {
        bp_expr_free(o->items[i].expr);
        bp_mem_free(o->items[i].text);
    }
    bp_mem_free(o->items);
    memset(o, 0, sizeof *o);
}

/* DESC, ASC and NULLS FIRST or LAST at the end of [a, *b). */
static int order_words(struct bp_scan *s, int a, int *b, struct bp_order_item *it)
{
    const struct bp_toks *t = &s->toks;
    int nulls = 0;

    if (*b - a > 2 && bp_tok_is_word(t, *b - 2, "nulls")) {
        nulls = bp_tok_is_word(t, *b - 1, "first") ? 1 : bp_tok_is_word(t, *b - 1, "last") ? 2 : 0;
        if (!nulls)
            return bp_fail_at(s->err, t->text, t->tok[*b - 1].from,
                              "after nulls comes first or last");
        *b -= 2;
    }
    if (*b - a > 1 && (bp_tok_is_word(t, *b - 1, "desc") || bp_tok_is_word(t, *b - 1, "asc"))) {
        it->desc = bp_tok_is_word(t, *b - 1, "desc");
        *b -= 1;
    }
    /* NULLs are last by default, whichever way the others go. */
    it->nulls_first = nulls == 1;
    return 0;
}

static int order_text(struct bp_scan *s, int a, int b, struct bp_order_item *it)
{
    struct bp_buf text = {0};
    int column = bp_expr_column(it->expr), rc = 0;
    const char *src = bp_toks_text(&s->toks, a, b, &s->mem, s->err), *str;

    if (!src)
        return s->err->code;
    rc = column >= 0 ? bp_name_print(s->schema->fields[column].name, &text, s->err)
                     : bp_buf_puts(&text, src, s->err);
    if (rc >= 0)
        rc = bp_buf_printf(&text, s->err, "%s%s", it->desc ? " DESC" : "",
                           it->nulls_first ? " NULLS FIRST" : "");
    str = rc >= 0 ? bp_buf_str(&text, s->err) : NULL;
    it->text = str ? bp_mem_str(str, s->err) : NULL;
    bp_buf_release(&text);
    return it->text ? 0 : s->err->code;
}

static int order_item(struct bp_scan *s, int a, int b, struct bp_order_item *it)
{
    BP_TRY(order_words(s, a, &b, it));
    BP_TRY(bp_scan_expr(s, a, b, false, &it->expr));
    if (it->expr->root->kind == BP_N_CONST)
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                          "a constant orders nothing: name a column");
    return order_text(s, a, b, it);
}

static int parse_order(struct bp_scan *s, struct bp_order *out)
{
    int *cut, n;

    BP_TRY(bp_toks_split(&s->toks, 0, s->toks.n, &s->mem, &cut, &n, s->err));
    out->items = bp_mem_new((size_t)n, sizeof *out->items, s->err);
    if (!out->items)
        return s->err->code;
    for (int i = 0; i < n; i++) {
        out->n = i + 1;
        BP_TRY(order_item(s, cut[i], cut[i + 1] - 1, &out->items[i]));
    }
    return 0;
}

int bp_expr_parse_order(const struct bp_clause *c, const struct bp_schema *schema,
                        struct bp_order *out, struct bp_err *err)
{
    struct bp_scan s;
    int rc = bp_scan_open(&s, c, schema, err);

    memset(out, 0, sizeof *out);
    if (rc >= 0)
        rc = parse_order(&s, out);
    bp_scan_release(&s);
    if (rc < 0)
        bp_order_release(out);
    return rc;
}

/* ---- texts and names ---- */

static void free_names(char **names, int n)
{
    for (int i = 0; names && i < n; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
}

/* n + 1 pointers, the last NULL. */
static char **new_names(int n, struct bp_err *err)
{
    return bp_mem_new((size_t)n + 1, sizeof(char *), err);
}

int bp_expr_split_list(const struct bp_clause *c, char ***texts, int *n, struct bp_err *err)
{
    struct bp_scan s;
    int *cut, rc = bp_scan_open(&s, c, NULL, err);

    *texts = NULL;
    *n = 0;
    if (rc >= 0)
        rc = bp_toks_split(&s.toks, 0, s.toks.n, &s.mem, &cut, n, err);
    if (rc >= 0) {
        *texts = new_names(*n, err);
        rc = *texts ? 0 : err->code;
    }
    for (int i = 0; i < *n && rc >= 0; i++) {
        int from = s.toks.tok[cut[i]].from, to = s.toks.tok[cut[i + 1] - 2].to;

        (*texts)[i] = bp_mem_strn(c->text + from, (size_t)(to - from), err);
        rc = (*texts)[i] ? 0 : err->code;
    }
    bp_scan_release(&s);
    if (rc < 0) {
        free_names(*texts, *n);
        *texts = NULL;
        *n = 0;
    }
    return rc;
}

/* The name at token i, which has to be one, as a string of its own. */
static int take_name(struct bp_scan *s, int i, int end, char **out)
{
    const struct bp_toks *t = &s->toks;
    char *name;

    if (i >= end)
        return bp_fail_at(s->err, t->text, i < t->n ? t->tok[i].from : (int)strlen(t->text),
                          "a column name is missing here");
    if (t->tok[i].kind != BP_TOK_WORD && t->tok[i].kind != BP_TOK_QUOTED)
        return bp_fail_at(s->err, t->text, t->tok[i].from,
                          "'%.*s' is not a column name (odd names go in double quotes)",
                          t->tok[i].to - t->tok[i].from, t->text + t->tok[i].from);
    name = bp_tok_name(t, i, &s->mem, s->err);
    *out = name ? bp_mem_str(name, s->err) : NULL;
    return *out ? 0 : s->err->code;
}

static int end_of_item(struct bp_scan *s, int i, int end)
{
    if (i >= end)
        return 0;
    return bp_fail_at(s->err, s->toks.text, s->toks.tok[i].from, "a comma is missing here");
}

static int names_item(struct bp_scan *s, int a, int b, char **name)
{
    BP_TRY(take_name(s, a, b, name));
    return end_of_item(s, a + 1, b);
}

int bp_expr_parse_names(const char *text, char ***names, int *n, struct bp_err *err)
{
    struct bp_clause c = {.text = text};
    struct bp_scan s;
    int *cut, rc = bp_scan_open(&s, &c, NULL, err);

    *names = NULL;
    *n = 0;
    if (rc >= 0)
        rc = bp_toks_split(&s.toks, 0, s.toks.n, &s.mem, &cut, n, err);
    if (rc >= 0) {
        *names = new_names(*n, err);
        rc = *names ? 0 : err->code;
    }
    for (int i = 0; i < *n && rc >= 0; i++)
        rc = names_item(&s, cut[i], cut[i + 1] - 1, &(*names)[i]);
    bp_scan_release(&s);
    if (rc < 0) {
        free_names(*names, *n);
        *names = NULL;
        *n = 0;
    }
    return rc;
}

static int rename_item(struct bp_scan *s, int a, int b, char **from, char **to)
{
    BP_TRY(take_name(s, a, b, from));
    if (!bp_tok_is_word(&s->toks, a + 1, "as") || a + 1 >= b)
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from, "write this as: old AS new");
    BP_TRY(take_name(s, a + 2, b, to));
    return end_of_item(s, a + 3, b);
}

int bp_expr_parse_renames(const char *text, char ***from, char ***to, int *n, struct bp_err *err)
{
    struct bp_clause c = {.text = text};
    struct bp_scan s;
    int *cut, rc = bp_scan_open(&s, &c, NULL, err);

    *from = *to = NULL;
    *n = 0;
    if (rc >= 0)
        rc = bp_toks_split(&s.toks, 0, s.toks.n, &s.mem, &cut, n, err);
    if (rc >= 0) {
        *from = new_names(*n, err);
        *to = new_names(*n, err);
        rc = *from && *to ? 0 : err->code;
    }
    for (int i = 0; i < *n && rc >= 0; i++)
        rc = rename_item(&s, cut[i], cut[i + 1] - 1, &(*from)[i], &(*to)[i]);
    bp_scan_release(&s);
    if (rc < 0) {
        free_names(*from, *n);
        free_names(*to, *n);
        *from = *to = NULL;
        *n = 0;
    }
    return rc;
}

void bp_join_keys_release(struct bp_join_keys *k)
{
    free_names(k->left, k->n);
    free_names(k->right, k->n);
    bp_mem_free(k->using_name);
    memset(k, 0, sizeof *k);
}

static int join_item(struct bp_scan *s, int a, int b, struct bp_join_keys *k, int i)
{
    BP_TRY(take_name(s, a, b, &k->left[i]));
    if (b - a == 1) {
        k->using_name[i] = true;
        k->right[i] = bp_mem_str(k->left[i], s->err);
        return k->right[i] ? 0 : s->err->code;
    }
    if (!bp_tok_is(&s->toks, a + 1, "="))
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[a + 1].from,
                          "a key is a name of both sides, or left = right; other conditions go "
                          "into -w");
    BP_TRY(take_name(s, a + 2, b, &k->right[i]));
    return end_of_item(s, a + 3, b);
}

int bp_expr_parse_join_keys(const char *text, struct bp_join_keys *out, struct bp_err *err)
{
    struct bp_clause c = {.text = text};
    struct bp_scan s;
    int *cut, n = 0, rc = bp_scan_open(&s, &c, NULL, err);

    memset(out, 0, sizeof *out);
    if (rc >= 0)
        rc = bp_toks_split(&s.toks, 0, s.toks.n, &s.mem, &cut, &n, err);
    if (rc >= 0) {
        out->left = new_names(n, err);
        out->right = new_names(n, err);
        out->using_name = bp_mem_new((size_t)n, sizeof *out->using_name, err);
        rc = out->left && out->right && out->using_name ? 0 : err->code;
        out->n = n;
    }
    for (int i = 0; i < n && rc >= 0; i++)
        rc = join_item(&s, cut[i], cut[i + 1] - 1, out, i);
    bp_scan_release(&s);
    if (rc < 0)
        bp_join_keys_release(out);
    return rc;
}
