/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens -> PostgreSQL's parse tree of one expression. This file is the only
 * one that meets libpg_query. The tokens are wrapped as `SELECT (...)` and
 * anything that is not exactly one expression is refused, so a clause cannot
 * carry a FROM, a second statement or a subquery.
 */
#ifndef BP_EXPR_TREE_H
#define BP_EXPR_TREE_H

#include <jansson.h>

#include "col/schema.h"
#include "expr/expr.h"
#include "expr/lex.h"

struct bp_tree {
    json_t *doc;  /* owned */
    json_t *expr; /* the expression's node, in doc */
    const struct bp_toks *toks;
    int a, b;
    int *at; /* at[i - a]: where token i stands in the text that was parsed */
};

/* Expression of tokens [a, b). Bare keywords that are columns of s (may be NULL)
 * are read as columns where the grammar alone would not. Variables become
 * parameters: ParamRef k is vars[k - 1]. */
int bp_tree_parse(struct bp_tree *t, const struct bp_toks *toks, int a, int b,
                  const struct bp_clause *c, const struct bp_schema *s, struct bp_arena *mem,
                  struct bp_err *err) BP_MUST;
void bp_tree_release(struct bp_tree *t);

/* The token at a node's "location" (as found in the JSON; -1 if unknown). */
int bp_tree_token(const struct bp_tree *t, json_int_t location);

/* A node is an object of one member: its kind, and its body. */
const char *bp_tree_kind(json_t *node, json_t **body);
/* The string of a member that is {"String": {"sval": ...}}; NULL if it is not. */
const char *bp_tree_string(json_t *node);

#endif
