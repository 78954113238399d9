/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole clauses: a condition, an expression, a SELECT list, aggregates, an ORDER
 * BY list. A list is cut at its own commas first and each item is parsed alone,
 * so an item can never reach into the next, and its text is known.
 */
#include "expr/clause.h"

#include <stdio.h>
#include <string.h>

#include "sys/dir.h"

/* ---- a file name where the clause belongs ---- */

static bool ends_with(const char *s, size_t n, const char *end)
{
    size_t k = strlen(end);

    return n > k && memcmp(s + n - k, end, k) == 0;
}

static bool looks_like_file(const char *text)
{
    static const char *const ends[] = {".csv", ".tsv", ".json", ".jsonl", ".parquet", ".arrow",
                                       ".gz",  ".zst", ".txt",  ".lz4",   ".bz2",     ".xz"};
    size_t n = strlen(text);

    if (n == 0 || n > 4000 || strpbrk(text, "<>=\n"))
        return false;
    if (!strchr(text, ' '))
        for (size_t i = 0; i < BP_COUNT_OF(ends); i++)
            if (ends_with(text, n, ends[i]))
                return true;
    return bp_path_kind(text) != BP_PATH_NONE;
}

/* rc of parsing the clause: a failure over what looks like a file says so. */
static int hint_file(const struct bp_clause *c, int rc, struct bp_err *err)
{
    if (rc != BP_EUSAGE || !looks_like_file(c->text))
        return rc;
    bp_err_clear(err);
    return bp_fail(err, BP_EUSAGE,
                   "'%s' looks like a file: the clause comes first, then the inputs", c->text);
}

/* ---- one expression ---- */

int bp_scan_open(struct bp_scan *s, const struct bp_clause *c, const struct bp_schema *schema,
                 struct bp_err *err)
{
    *s = (struct bp_scan){.clause = c, .schema = schema, .err = err};
    BP_TRY(bp_lex(c->text, &s->mem, &s->toks, err));
    if (s->toks.n == 0)
        return bp_fail(err, BP_EUSAGE, "the clause is empty");
    return 0;
}

void bp_scan_release(struct bp_scan *s)
{
    bp_arena_release(&s->mem);
}

/* An expression that owns a copy of nothing: its nodes are in its own arena. */
enum want { WANT_ANY, WANT_BOOL, WANT_ITEM };

static int bind_tree(struct bp_scan *s, struct bp_tree *tree, json_t *node, enum want want,
                     struct bp_expr **out)
{
    struct bp_expr *e = bp_mem_new(1, sizeof *e, s->err);
    struct bp_bind b = {.clause = s->clause,
                        .schema = s->schema,
                        .toks = &s->toks,
                        .tree = tree,
                        .e = e,
                        .err = s->err,
                        .sets = want == WANT_ITEM};
    bool want_bool = want == WANT_BOOL;
    char name[BP_TYPE_NAME_MAX];
    int rc;

    if (!e)
        return s->err->code;
    rc = bp_bind_expr(&b, node, &e->root);
    if (rc >= 0 && want_bool && e->root->kind == BP_N_LITERAL)
        rc = bp_coerce(&b, &e->root, BP_TYPE(BP_BOOL));
    if (rc >= 0)
        rc = bp_settle(&b, &e->root);
    if (rc >= 0 && want_bool && e->root->type.kind != BP_BOOL)
        rc = bp_bind_fail(&b, e->root->first, "this is %s, not a condition",
                          bp_type_name(e->root->type, name));
    if (rc < 0) {
        bp_expr_free(e);
        return rc;
    }
    *out = e;
    return 0;
}

int bp_scan_expr(struct bp_scan *s, int a, int b, bool want_bool, struct bp_expr **out)
{
    struct bp_tree tree;
    int rc;

    *out = NULL;
    BP_TRY(bp_tree_parse(&tree, &s->toks, a, b, s->clause, s->schema, &s->mem, s->err));
    rc = bind_tree(s, &tree, tree.expr, want_bool, out);
    bp_tree_release(&tree);
    return rc;
}

static int parse_one(const struct bp_clause *c, const struct bp_schema *schema, bool want_bool,
                     struct bp_expr **out, struct bp_err *err)
{
    struct bp_scan s;
    int rc = bp_scan_open(&s, c, schema, err);

    *out = NULL;
    if (rc >= 0)
        rc = bp_scan_expr(&s, 0, s.toks.n, want_bool, out);
    bp_scan_release(&s);
    return hint_file(c, rc, err);
}

int bp_expr_parse_where(const struct bp_clause *c, const struct bp_schema *s, struct bp_expr **out,
                        struct bp_err *err)
{
    return parse_one(c, s, true, out, err);
}

int bp_expr_parse(const struct bp_clause *c, const struct bp_schema *s, struct bp_expr **out,
                  struct bp_err *err)
{
    return parse_one(c, s, false, out, err);
}

/* ---- items with names ---- */

/* Where the expression of item [a, b) ends; *label is the token of its name, or -1. */
static int item_body(const struct bp_scan *s, int a, int b, int *label)
{
    const struct bp_tok *t = s->toks.tok;
    bool named = t[b - 1].kind == BP_TOK_WORD || t[b - 1].kind == BP_TOK_QUOTED;

    *label = -1;
    if (b - a < 3 || !named || t[b - 2].depth != t[a].depth ||
        !bp_tok_is_word(&s->toks, b - 2, "as"))
        return b;
    *label = b - 1;
    return b - 2;
}

/* `expr name` without AS: tried when the whole is no expression. */
static int bare_label(const struct bp_scan *s, int a, int b)
{
    const struct bp_tok *t = &s->toks.tok[b - 1];

    if (b - a < 2 || (t->kind != BP_TOK_WORD && t->kind != BP_TOK_QUOTED) ||
        s->toks.tok[b - 2].kind == BP_TOK_OP || bp_tok_is(&s->toks, b - 2, "."))
        return -1;
    return b - 1;
}

int bp_scan_item(struct bp_scan *s, int a, int b, struct bp_tree *tree, int *body_end, int *label)
{
    struct bp_err again = {0}, *err = s->err;
    int end = item_body(s, a, b, label), bare, rc;

    rc = bp_tree_parse(tree, &s->toks, a, end, s->clause, s->schema, &s->mem, err);
    bare = *label < 0 && rc == BP_EUSAGE ? bare_label(s, a, b) : -1;
    *body_end = end;
    if (bare < 0)
        return rc;
    if (bp_tree_parse(tree, &s->toks, a, bare, s->clause, s->schema, &s->mem, &again) < 0)
        return rc;
    bp_err_clear(err);
    *label = bare;
    *body_end = bare;
    return 0;
}

/* The name of an item: its label, else the column's, else its text. */
int bp_scan_name(struct bp_scan *s, int a, int end, int label, const struct bp_expr *e, char **out)
{
    int column = e ? bp_expr_column(e) : -1;
    char *name;

    if (label >= 0)
        name = bp_tok_name(&s->toks, label, &s->mem, s->err);
    else if (column >= 0)
        name = s->schema->fields[column].name;
    else
        name = bp_toks_text(&s->toks, a, end, &s->mem, s->err);
    if (!name)
        return s->err->code;
    if (!*name)
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[label].from, "a name cannot be empty");
    *out = bp_mem_str(name, s->err);
    return *out ? 0 : s->err->code;
}

/* Two of one name: names[i] is that of the item that begins at token first[i]. */
static int no_twins(struct bp_scan *s, struct bp_items *l, const int *first)
{
    struct bp_schema seen = {0};
    int rc = 0;

    (void)seen;
    for (int i = 1; i < l->n && rc >= 0; i++)
        for (int k = 0; k < i && rc >= 0; k++)
            if (strcmp(l->items[i].name, l->items[k].name) == 0)
                rc = bp_fail_at(s->err, s->toks.text, s->toks.tok[first[i]].from,
                                "two results are named '%s': give one another name with AS",
                                l->items[i].name);
    return rc;
}

void bp_items_release(struct bp_items *l)
{
    for (int i = 0; i < l->n; i++) {
        bp_mem_free(l->items[i].name);
        bp_expr_free(l->items[i].expr);
    }
    bp_mem_free(l->items);
    memset(l, 0, sizeof *l);
}

/* "*": all columns that the inputs have. */
static int add_star(struct bp_scan *s, struct bp_items *l)
{
    for (int i = 0; i < s->schema->n_fields; i++) {
        struct bp_item *it = &l->items[l->n];
        struct bp_expr *e;
        struct bp_node *nd;

        if (s->schema->fields[i].pseudo)
            continue;
        e = bp_mem_new(1, sizeof *e, s->err);
        if (!e)
            return s->err->code;
        it->expr = e;
        l->n++;
        nd = bp_arena_alloc(&e->mem, sizeof *nd, s->err);
        if (!nd)
            return s->err->code;
        *nd = (struct bp_node){.kind = BP_N_COLUMN, .type = s->schema->fields[i].type, .column = i};
        e->root = nd;
        it->name = bp_mem_str(s->schema->fields[i].name, s->err);
        if (!it->name)
            return s->err->code;
    }
    return 0;
}

static int add_item(struct bp_scan *s, int a, int b, struct bp_items *l)
{
    struct bp_item *it = &l->items[l->n];
    struct bp_tree tree;
    int end, label, rc;

    BP_TRY(bp_scan_item(s, a, b, &tree, &end, &label));
    rc = bind_tree(s, &tree, tree.expr, WANT_ITEM, &it->expr);
    bp_tree_release(&tree);
    if (rc < 0)
        return rc;
    l->n++;
    return bp_scan_name(s, a, end, label, it->expr, &it->name);
}

static int parse_list(struct bp_scan *s, struct bp_items *out)
{
    int *cut, *first, n, stars = 0, cap;

    BP_TRY(bp_toks_split(&s->toks, 0, s->toks.n, &s->mem, &cut, &n, s->err));
    for (int i = 0; i < n; i++)
        stars += cut[i + 1] - cut[i] == 2 && bp_tok_is(&s->toks, cut[i], "*");
    cap = n + stars * s->schema->n_fields;
    out->items = bp_mem_new((size_t)cap, sizeof *out->items, s->err);
    first = bp_arena_alloc(&s->mem, (size_t)cap * sizeof *first, s->err);
    if (!out->items || !first)
        return s->err->code;
    for (int i = 0; i < n; i++) {
        int from = out->n, a = cut[i], b = cut[i + 1] - 1;

        BP_TRY(b - a == 1 && bp_tok_is(&s->toks, a, "*") ? add_star(s, out)
                                                         : add_item(s, a, b, out));
        for (int k = from; k < out->n; k++)
            first[k] = a;
    }
    return no_twins(s, out, first);
}

int bp_expr_parse_list(const struct bp_clause *c, const struct bp_schema *schema,
                       struct bp_items *out, struct bp_err *err)
{
    struct bp_scan s;
    int rc = bp_scan_open(&s, c, schema, err);

    memset(out, 0, sizeof *out);
    if (rc >= 0)
        rc = parse_list(&s, out);
    bp_scan_release(&s);
    if (rc < 0)
        bp_items_release(out);
    return hint_file(c, rc, err);
}

/* ---- aggregates ---- */

void bp_agg_items_release(struct bp_agg_items *l)
{
    for (int i = 0; i < l->n; i++) {
        struct bp_agg_item *it = &l->items[i];

        for (int a = 0; a < it->n_args; a++)
            bp_expr_free(it->args[a]);
        bp_mem_free(it->args);
        bp_order_release(&it->order);
        bp_expr_free(it->filter);
        bp_mem_free(it->name);
        bp_mem_free(it->func);
        bp_mem_free(it->text);
    }
    bp_mem_free(l->items);
    memset(l, 0, sizeof *l);
}

/* The expression of WITHIN GROUP (ORDER BY ...): one, ascending. */
static int within_group(struct bp_scan *s, int a, json_t *body, json_t **expr)
{
    static const char *const takers[] = {"mode", "percentile_cont", "percentile_disc"};
    const char *func = bp_tree_string(json_array_get(json_object_get(body, "funcname"), 0)), *dir;
    json_t *order = json_object_get(body, "agg_order"), *by;
    bool known = false;

    for (size_t i = 0; i < BP_COUNT_OF(takers); i++)
        known |= func && strcmp(func, takers[i]) == 0;
    if (!known)
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                          "within group is for mode, percentile_cont and percentile_disc");
    by = json_object_get(json_array_get(order, 0), "SortBy");
    *expr = json_object_get(by, "node");
    dir = json_string_value(json_object_get(by, "sortby_dir"));
    if (json_array_size(order) != 1 || !*expr || (dir && strcmp(dir, "SORTBY_DESC") == 0))
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                          "within group orders by one expression, ascending; for descending "
                          "order take 1 - fraction");
    return 0;
}

static int agg_shape(struct bp_scan *s, int a, const char *kind, json_t *body)
{
    static const char *const refused[][2] = {
        {"over", "window functions are not part of bp-reduce"},
        {"func_variadic", "variadic has no place here"},
    };
    json_t *names = json_object_get(body, "funcname");

    if (!kind || strcmp(kind, "FuncCall") != 0)
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                          "each item is one aggregate, as in sum(x) AS total; compute with the "
                          "results in bp-map");
    if (json_array_size(names) != 1)
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                          "this is not an aggregate function");
    for (size_t i = 0; i < BP_COUNT_OF(refused); i++)
        if (json_object_get(body, refused[i][0]))
            return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from, "%s", refused[i][1]);
    return 0;
}

/* Two trees that differ only in where they stand in the text. */
static bool same_tree(json_t *a, json_t *b)
{
    const char *key;
    json_t *v;
    size_t i;

    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        json_array_foreach(a, i, v) if (!same_tree(v, json_array_get(b, i))) return false;
        return true;
    }
    if (!json_is_object(a))
        return json_equal(a, b);
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach(a, key, v)
    {
        json_t *other = json_object_get(b, key);

        if (!other || (strcmp(key, "location") != 0 && !same_tree(v, other)))
            return false;
    }
    return true;
}

static bool is_one_of(json_t *node, json_t *args)
{
    for (size_t i = 0; i < json_array_size(args); i++)
        if (same_tree(node, json_array_get(args, i)))
            return true;
    return false;
}

/* ORDER BY within the call. With DISTINCT there has to be one value to order by for each
 * that is left. */
static int agg_order(struct bp_scan *s, int a, struct bp_tree *tree, json_t *body,
                     struct bp_agg_item *it)
{
    json_t *order = json_object_get(body, "agg_order");
    int n = (int)json_array_size(order);

    if (!n)
        return 0;
    it->order.items = bp_mem_new((size_t)n, sizeof *it->order.items, s->err);
    if (!it->order.items)
        return s->err->code;
    for (int i = 0; i < n; i++) {
        json_t *by = json_object_get(json_array_get(order, (size_t)i), "SortBy");
        json_t *node = json_object_get(by, "node");
        const char *dir = json_string_value(json_object_get(by, "sortby_dir"));
        const char *nulls = json_string_value(json_object_get(by, "sortby_nulls"));
        struct bp_order_item *o = &it->order.items[it->order.n++];

        if (!node || json_object_get(by, "useOp"))
            return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                              "order by takes expressions with asc or desc");
        if (it->distinct && !is_one_of(node, json_object_get(body, "args")))
            return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                              "with distinct, order by is for the arguments of the call");
        o->desc = dir && strcmp(dir, "SORTBY_DESC") == 0;
        o->nulls_first = nulls && strcmp(nulls, "SORTBY_NULLS_FIRST") == 0;
        BP_TRY(bind_tree(s, tree, node, false, &o->expr));
    }
    return 0;
}

static int agg_args(struct bp_scan *s, int a, struct bp_tree *tree, json_t *body,
                    struct bp_agg_item *it)
{
    json_t *args = json_object_get(body, "args"), *filter = json_object_get(body, "agg_filter");
    int n = (int)json_array_size(args);
    json_t *ordered = NULL;

    it->args = bp_mem_new((size_t)n + 1, sizeof *it->args, s->err);
    if (!it->args)
        return s->err->code;
    if (json_object_get(body, "agg_within_group")) {
        BP_TRY(within_group(s, a, body, &ordered));
        BP_TRY(bind_tree(s, tree, ordered, false, &it->args[it->n_args]));
        it->n_args++;
    }
    for (int i = 0; i < n; i++) {
        BP_TRY(bind_tree(s, tree, json_array_get(args, (size_t)i), false, &it->args[it->n_args]));
        it->n_args++;
    }
    it->distinct = json_is_true(json_object_get(body, "agg_distinct"));
    if (!ordered)
        BP_TRY(agg_order(s, a, tree, body, it));
    return filter ? bind_tree(s, tree, filter, true, &it->filter) : 0;
}

static int agg_item(struct bp_scan *s, int a, int b, struct bp_tree *tree, int end, int label,
                    struct bp_agg_item *it)
{
    json_t *body, *names;
    const char *kind = bp_tree_kind(tree->expr, &body), *text;

    (void)b;
    BP_TRY(agg_shape(s, a, kind, body));
    names = json_object_get(body, "funcname");
    if (!json_object_get(body, "args") && !json_object_get(body, "agg_star") &&
        !json_object_get(body, "agg_within_group"))
        return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                          "the aggregate has no argument: count(*) counts rows");
    text = bp_toks_text(&s->toks, a, end, &s->mem, s->err);
    if (!text)
        return s->err->code;
    it->text = bp_mem_str(text, s->err);
    it->func = bp_mem_str(bp_tree_string(json_array_get(names, 0)), s->err);
    if (!it->text || !it->func)
        return s->err->code;
    BP_TRY(agg_args(s, a, tree, body, it));
    return bp_scan_name(s, a, end, label, NULL, &it->name);
}

static int parse_aggs(struct bp_scan *s, struct bp_agg_items *out)
{
    int *cut, n;

    BP_TRY(bp_toks_split(&s->toks, 0, s->toks.n, &s->mem, &cut, &n, s->err));
    out->items = bp_mem_new((size_t)n, sizeof *out->items, s->err);
    if (!out->items)
        return s->err->code;
    for (int i = 0; i < n; i++) {
        int a = cut[i], b = cut[i + 1] - 1, end, label, rc;
        struct bp_tree tree;

        BP_TRY(bp_scan_item(s, a, b, &tree, &end, &label));
        out->n = i + 1;
        rc = agg_item(s, a, b, &tree, end, label, &out->items[i]);
        bp_tree_release(&tree);
        if (rc < 0)
            return rc;
        for (int k = 0; k < i; k++)
            if (strcmp(out->items[i].name, out->items[k].name) == 0)
                return bp_fail_at(s->err, s->toks.text, s->toks.tok[a].from,
                                  "two results are named '%s': give one another name with AS",
                                  out->items[i].name);
    }
    return 0;
}

int bp_expr_parse_aggs(const struct bp_clause *c, const struct bp_schema *schema,
                       struct bp_agg_items *out, struct bp_err *err)
{
    struct bp_scan s;
    int rc = bp_scan_open(&s, c, schema, err);

    memset(out, 0, sizeof *out);
    if (rc >= 0)
        rc = parse_aggs(&s, out);
    bp_scan_release(&s);
    if (rc < 0)
        bp_agg_items_release(out);
    return hint_file(c, rc, err);
}
