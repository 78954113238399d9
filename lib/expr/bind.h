/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the grammar's tree to the typed one. Private to lib/expr. Everything a
 * node needs lives in the expression's arena; constants are folded as they
 * appear, unless computing them fails: then they fail when a row asks for them.
 */
#ifndef BP_EXPR_BIND_H
#define BP_EXPR_BIND_H

#include "expr/node.h"
#include "expr/tree.h"

struct bp_bind {
    const struct bp_clause *clause;
    const struct bp_schema *schema;
    const struct bp_toks *toks;
    struct bp_tree *tree;
    struct bp_expr *e; /* whose arena the nodes live in */
    struct bp_err *err;
    int depth;
    int reach; /* the next node spans at least to this token */
    bool sets; /* an item of a SELECT list, which may be unnest() */
};

/* What makes a call. */
struct bp_call {
    bp_kernel run;
    const void *param;
    struct bp_type type;
    uint8_t op;
    bool fallible, lax /* not strict */, on_dict, slow, keep_dict;
};

/* bind.c */
int bp_bind_expr(struct bp_bind *b, json_t *node, struct bp_node **out) BP_MUST;
/* Also gives untyped literals their last resort, text. */
int bp_bind_typed(struct bp_bind *b, json_t *node, struct bp_node **out) BP_MUST;
int bp_bind_tok(const struct bp_bind *b, json_t *body);
int bp_bind_fail(struct bp_bind *b, int tok, const char *fmt, ...) BP_PRINTF(3, 4);
int bp_bind_no_column(struct bp_bind *b, int tok, const char *name);

/* build.c: nodes */
struct bp_node *bp_node_new(struct bp_bind *b, int kind, struct bp_type type, int tok,
                            int n_args) BP_MUST;
/* The span, failing and cost of a node whose args are set; folds. */
int bp_node_finish(struct bp_bind *b, struct bp_node *nd, struct bp_node **out) BP_MUST;
int bp_node_call(struct bp_bind *b, int tok, const struct bp_call *c, struct bp_node *const *args,
                 int n_args, struct bp_node **out) BP_MUST;
/* A constant that holds the one row of value (taken, also on error). */
int bp_node_const(struct bp_bind *b, int tok, struct bp_column *value,
                  struct bp_node **out) BP_MUST;
int bp_node_const_fixed(struct bp_bind *b, int tok, struct bp_type t, const void *value,
                        struct bp_node **out) BP_MUST;
int bp_node_const_bytes(struct bp_bind *b, int tok, struct bp_type t, const void *p, size_t n,
                        struct bp_node **out) BP_MUST;
int bp_node_null(struct bp_bind *b, int tok, struct bp_type t, struct bp_node **out) BP_MUST;
static inline bool bp_node_is_const(const struct bp_node *nd)
{
    return nd->kind == BP_N_CONST;
}
static inline bool bp_node_is_null(const struct bp_node *nd)
{
    return (nd->kind == BP_N_CONST && nd->value.n_nulls) ||
           (nd->kind == BP_N_LITERAL && !nd->literal);
}
/* A whole number that is not NULL. */
bool bp_node_const_int(const struct bp_node *nd, int64_t *v);
/* Text that is not NULL; untyped literals too. */
bool bp_node_const_text(const struct bp_node *nd, const char **s, size_t *n);

/* literal.c */
int bp_bind_number(struct bp_bind *b, int tok, const char *text, struct bp_node **out) BP_MUST;
int bp_bind_literal(struct bp_bind *b, int tok, const char *text, struct bp_node **out) BP_MUST;
/* Give an untyped literal a type; explicit: as a cast does (decimals round). A text
 * that is no such value is BP_EUSAGE. */
int bp_literal_as(struct bp_bind *b, struct bp_node **nd, struct bp_type to, bool is_cast) BP_MUST;
/* Make *nd a value of type to, by an implicit cast. */
int bp_coerce(struct bp_bind *b, struct bp_node **nd, struct bp_type to) BP_MUST;
/* An untyped literal becomes text; NULL too. */
int bp_settle(struct bp_bind *b, struct bp_node **nd) BP_MUST;

/* promote.c: types that meet */
/* The type in which two numbers are combined; decimals: larger scale. */
struct bp_type bp_promote_numbers(struct bp_type a, struct bp_type b);
/* One type for two branches of CASE and the like; false if there is none. */
bool bp_promote(struct bp_type a, struct bp_type b, struct bp_type *out);
/* The same over nodes, which are then coerced to it. */
int bp_unify(struct bp_bind *b, int tok, const char *what, struct bp_node **nds, int n, int stride,
             struct bp_type *out) BP_MUST;

/* operator.c */
int bp_bind_operator(struct bp_bind *b, int tok, const char *op, struct bp_node *l,
                     struct bp_node *r, struct bp_node **out) BP_MUST;
int bp_bind_negate(struct bp_bind *b, int tok, struct bp_node *a, struct bp_node **out) BP_MUST;

/* compare.c */
enum bp_cmp { BP_EQ, BP_NE, BP_LT, BP_LE, BP_GT, BP_GE };
int bp_bind_compare(struct bp_bind *b, int tok, enum bp_cmp op, struct bp_node *l,
                    struct bp_node *r, struct bp_node **out) BP_MUST;
/* A comparison of two values, whose op is enum bp_cmp. */
bool bp_node_is_compare(const struct bp_node *nd);
/* Bring both sides to one type in which they compare. */
int bp_bind_match(struct bp_bind *b, int tok, struct bp_node **l, struct bp_node **r) BP_MUST;
int bp_bind_distinct(struct bp_bind *b, int tok, bool negate, struct bp_node *l, struct bp_node *r,
                     struct bp_node **out) BP_MUST;

/* logic.c */
int bp_bind_not(struct bp_bind *b, int tok, struct bp_node *a, struct bp_node **out) BP_MUST;
int bp_bind_logic(struct bp_bind *b, int tok, bool is_and, struct bp_node **args, int n,
                  struct bp_node **out) BP_MUST;
int bp_bind_null_test(struct bp_bind *b, int tok, bool is_null, struct bp_node *a,
                      struct bp_node **out) BP_MUST;
/* IS NULL, or IS NOT NULL, of anything. */
bool bp_node_is_null_test(const struct bp_node *nd, bool *is_null);
enum bp_truth_test { BP_IS_TRUE, BP_IS_NOT_TRUE, BP_IS_FALSE, BP_IS_NOT_FALSE };
int bp_bind_truth_test(struct bp_bind *b, int tok, enum bp_truth_test t, struct bp_node *a,
                       struct bp_node **out) BP_MUST;

/* in.c */
int bp_bind_in(struct bp_bind *b, int tok, bool negate, struct bp_node *a, struct bp_node **list,
               int n, struct bp_node **out) BP_MUST;
/* The constants of IN (not NOT IN) that is a table; NULL: it is something else. */
const struct bp_column *bp_node_in_values(const struct bp_node *nd);

/* like.c */
int bp_bind_like(struct bp_bind *b, int tok, bool negate, bool fold_case, struct bp_node *a,
                 struct bp_node *pattern, struct bp_node *escape, struct bp_node **out) BP_MUST;

/* fn_regex.c: ~ ~* !~ !~* */
int bp_bind_regex(struct bp_bind *b, int tok, const char *op, struct bp_node *l, struct bp_node *r,
                  struct bp_node **out) BP_MUST;
void bp_regex_release_held(struct bp_regex_held *h);

/* cast.c */
/* How from becomes to; false if it does not. */
bool bp_cast_find(struct bp_type from, struct bp_type to, struct bp_call *c);
int bp_bind_cast(struct bp_bind *b, int tok, struct bp_node *a, struct bp_type to,
                 struct bp_node **out) BP_MUST;
/* For comparisons: to a finer unit or larger scale of the same kind of value; what
 * does not fit becomes the largest or smallest value, so the order stays. */
int bp_bind_widen(struct bp_bind *b, struct bp_node **nd, struct bp_type to) BP_MUST;

/* arith.c: + - * / % of two values of one integer or float kind; NULL if there is none. */
enum bp_arith { BP_ADD, BP_SUB, BP_MUL, BP_DIV, BP_MOD };
bp_kernel bp_arith_kernel(int kind);
bp_kernel bp_negate_kernel(int kind);
/* decimal.c: the same for two decimals; the result has scale bp_decimal_scale(). */
int bp_decimal_scale(int op, struct bp_type l, struct bp_type r);
int bp_run_decimal(struct bp_run *r, const struct bp_vec *args, struct bp_column *out);
int bp_run_decimal_negate(struct bp_run *r, const struct bp_vec *args, struct bp_column *out);
/* moment.c: dates, times, timestamps, intervals. 0 and *out NULL: no such operator. */
int bp_bind_moment(struct bp_bind *b, int tok, enum bp_arith op, struct bp_node *l,
                   struct bp_node *r, struct bp_node **out) BP_MUST;

/* fn_list.c: a[i], (a).b, array[...] */
int bp_bind_element(struct bp_bind *b, int tok, struct bp_node *list, struct bp_node *at,
                    struct bp_node **out) BP_MUST;
int bp_bind_field(struct bp_bind *b, int tok, struct bp_node *a, const char *name,
                  struct bp_node **out) BP_MUST;
int bp_bind_array(struct bp_bind *b, int tok, struct bp_node **args, int n,
                  struct bp_node **out) BP_MUST;

/* call.c */
int bp_bind_call(struct bp_bind *b, json_t *body, struct bp_node **out) BP_MUST;

/* function.c */
int bp_bind_function(struct bp_bind *b, int tok, const char *name, struct bp_node **args, int n,
                     struct bp_node **out) BP_MUST;

#endif
