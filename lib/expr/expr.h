/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clauses: SQL text -> typed tree -> columns (bp-expr(7)). One clause is parsed
 * by libpg_query, bound to a schema, folded, and run by kernels, a batch at a
 * time. Errors of the text point into it with a caret.
 */
#ifndef BP_EXPR_EXPR_H
#define BP_EXPR_EXPR_H

#include "flow/flow.h"

struct bp_var {
    const char *name, *value; /* :name; typed as an untyped literal */
};
struct bp_clause {
    const char *text; /* NUL-terminated; SQL comments allowed */
    const struct bp_var *vars;
    int n_vars;
};

struct bp_expr; /* typed, bound to one schema, immutable; evaluation is thread safe */

struct bp_type bp_expr_type(const struct bp_expr *e);
/* The column's index if the expression is just a column, else -1. */
int bp_expr_column(const struct bp_expr *e);
/* True for unnest(list): its value is the list, of whose elements the caller makes rows.
 * Only items of bp_expr_parse_list() can be it. */
bool bp_expr_is_unnest(const struct bp_expr *e);
void bp_expr_free(struct bp_expr *e);
/* out gets one value for each row of in. For an error in a value the message
 * names the row (in->first_row + i), and the value. */
int bp_expr_eval(const struct bp_expr *e, const struct bp_batch *in, struct bp_column *out,
                 struct bp_err *err) BP_MUST;
/* For boolean expressions: the rows for which e is true, ascending, into sel
 * (room for in->n_rows). */
int bp_expr_select(const struct bp_expr *e, const struct bp_batch *in, int32_t *sel, int64_t *n_sel,
                   struct bp_err *err) BP_MUST;
/* Marks used[i] for every column of the schema that e reads. */
void bp_expr_mark_columns(const struct bp_expr *e, bool *used);

/* False: no row of a part with these bounds makes e true. Errors that its rows would
 * have raised are not met. */
bool bp_expr_may_be_true(const struct bp_expr *e, const struct bp_bounds *known);

/* All functions, a line each: name(types) -> type, sorted. "any" is decided by the arguments. */
int bp_expr_functions(struct bp_buf *out, struct bp_err *err) BP_MUST;

/* A boolean clause (WHERE). */
int bp_expr_parse_where(const struct bp_clause *c, const struct bp_schema *s, struct bp_expr **out,
                        struct bp_err *err) BP_MUST;
/* Any expression (one). */
int bp_expr_parse(const struct bp_clause *c, const struct bp_schema *s, struct bp_expr **out,
                  struct bp_err *err) BP_MUST;

struct bp_item {
    char *name; /* AS name; else a column's name; else the item's own text, blanks squeezed */
    struct bp_expr *expr;
};
struct bp_items {
    struct bp_item *items;
    int n;
};
void bp_items_release(struct bp_items *l);
/* A SELECT list; "*" gives all columns. Two of one name are BP_EUSAGE. */
int bp_expr_parse_list(const struct bp_clause *c, const struct bp_schema *s, struct bp_items *out,
                       struct bp_err *err) BP_MUST;
/* The texts of a list's items, unbound: for bp-map -a, where each item sees those
 * before it. Each is again a clause of one item. */
int bp_expr_split_list(const struct bp_clause *c, char ***texts, int *n,
                       struct bp_err *err) BP_MUST;

struct bp_order_item {
    struct bp_expr *expr;
    bool desc, nulls_first;
    char *text; /* canonical: the expression's text, DESC, NULLS FIRST if not the default */
};
struct bp_order {
    struct bp_order_item *items;
    int n;
};
void bp_order_release(struct bp_order *o);

struct bp_agg_item {
    char *name; /* as for bp_item */
    char *func; /* lower case: "sum", "count" ... */
    struct bp_expr **args;
    int n_args; /* 0 for count(*) */
    bool distinct;
    struct bp_order order;  /* ORDER BY within the call; no texts */
    struct bp_expr *filter; /* FILTER (WHERE ...), or NULL */
    char *text;             /* the call's own text, blanks squeezed */
};
struct bp_agg_items {
    struct bp_agg_item *items;
    int n;
};
void bp_agg_items_release(struct bp_agg_items *l);
/* "sum(a) AS x, count(*)": each item is one aggregate call. In `f(p) WITHIN GROUP (ORDER
 * BY x)` x is the first argument, p the next. */
int bp_expr_parse_aggs(const struct bp_clause *c, const struct bp_schema *s,
                       struct bp_agg_items *out, struct bp_err *err) BP_MUST;

int bp_expr_parse_order(const struct bp_clause *c, const struct bp_schema *s, struct bp_order *out,
                        struct bp_err *err) BP_MUST;

/* A list of plain column names: `a, "b c"`. NULL-terminated, from bp_mem; free each
 * and the array. Spelling is the user's; look up with bp_schema_index(). */
int bp_expr_parse_names(const char *text, char ***names, int *n, struct bp_err *err) BP_MUST;
/* mention.c: bit k of *bits: the clause uses a column names[k], case aside; a label behind AS is
 * no use. A text that is no clause uses nothing. */
int bp_expr_mentions(const char *text, const char *const names[], int n, unsigned *bits,
                     struct bp_err *err) BP_MUST;
/* bp-map -r: `a AS b, c AS d` -> pairs. */
int bp_expr_parse_renames(const char *text, char ***from, char ***to, int *n,
                          struct bp_err *err) BP_MUST;
/* bp-join -k: `hour, zone` (USING) or `a = b, c` ; left[i], right[i]; using[i] true
 * where one name stands for both. */
struct bp_join_keys {
    char **left, **right;
    bool *using_name;
    int n;
};
int bp_expr_parse_join_keys(const char *text, struct bp_join_keys *out, struct bp_err *err) BP_MUST;
void bp_join_keys_release(struct bp_join_keys *k);

#endif
