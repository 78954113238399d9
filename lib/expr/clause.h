/* SPDX-License-Identifier: Apache-2.0 */
/* A clause while it is read. Private to lib/expr. */
#ifndef BP_EXPR_CLAUSE_H
#define BP_EXPR_CLAUSE_H

#include "expr/bind.h"

struct bp_scan {
    const struct bp_clause *clause;
    const struct bp_schema *schema;
    struct bp_toks toks;
    struct bp_arena mem;
    struct bp_err *err;
};

/* Release also after a failure. */
int bp_scan_open(struct bp_scan *s, const struct bp_clause *c, const struct bp_schema *schema,
                 struct bp_err *err) BP_MUST;
void bp_scan_release(struct bp_scan *s);
/* Tokens [a, b) as one expression. */
int bp_scan_expr(struct bp_scan *s, int a, int b, bool want_bool, struct bp_expr **out) BP_MUST;
/* Tokens [a, b) as `expr`, `expr AS name` or `expr name`: the tree, where the
 * expression ends, and the token of the name (-1: none). */
int bp_scan_item(struct bp_scan *s, int a, int b, struct bp_tree *tree, int *body_end,
                 int *label) BP_MUST;
int bp_scan_name(struct bp_scan *s, int a, int end, int label, const struct bp_expr *e,
                 char **out) BP_MUST;

#endif
