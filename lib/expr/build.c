/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes: made, finished (span, cost, whether they can fail), folded. */
#include <string.h>

#include "expr/bind.h"

struct bp_node *bp_node_new(struct bp_bind *b, int kind, struct bp_type type, int tok, int n_args)
{
    struct bp_node *nd = bp_arena_alloc(&b->e->mem, sizeof *nd, b->err);

    if (!nd)
        return NULL;
    nd->kind = (uint8_t)kind;
    nd->type = type;
    nd->tok = nd->first = nd->last = tok;
    nd->n_args = n_args;
    if (n_args > 0) {
        nd->args = bp_arena_alloc(&b->e->mem, (size_t)n_args * sizeof *nd->args, b->err);
        if (!nd->args)
            return NULL;
    }
    return nd;
}

/* Tokens from the first to the last of the arguments, brackets closed. */
static void span(const struct bp_toks *t, int reach, struct bp_node *nd)
{
    nd->last = BP_MAX(nd->last, reach);
    for (int a = 0; a < nd->n_args; a++) {
        nd->first = BP_MIN(nd->first, nd->args[a]->first);
        nd->last = BP_MAX(nd->last, nd->args[a]->last);
    }
    if (t->tok[nd->tok].kind == BP_TOK_WORD && bp_tok_is(t, nd->tok + 1, "("))
        nd->last = BP_MAX(nd->last, t->tok[nd->tok + 1].match);
    for (int i = nd->first; i <= nd->last; i++) {
        int m = t->tok[i].match;

        if (m < 0)
            continue;
        nd->last = BP_MAX(nd->last, m);
        if (m < nd->first) {
            nd->first = m;
            i = m;
        }
    }
}

static bool all_const(const struct bp_node *nd)
{
    for (int a = 0; a < nd->n_args; a++)
        if (!bp_node_is_const(nd->args[a]))
            return false;
    return true;
}

/* Compute a node of constants; if that fails it stays as it is. */
static int fold(struct bp_bind *b, struct bp_node *nd, struct bp_node **out)
{
    struct bp_batch in = {.n_rows = 1};
    struct bp_err quiet = {0};
    struct bp_eval ev = {.in = &in, .n = 1, .err = &quiet};
    struct bp_vec v;
    int first = nd->first, last = nd->last;

    *out = nd;
    if (bp_node_eval(&ev, nd, &v) < 0)
        return 0;
    BP_TRY(bp_node_const(b, nd->tok, &v.c, out));
    (*out)->first = first;
    (*out)->last = last;
    return 0;
}

int bp_node_finish(struct bp_bind *b, struct bp_node *nd, struct bp_node **out)
{
    span(b->toks, b->reach, nd);
    for (int a = 0; a < nd->n_args; a++) {
        nd->fallible |= nd->args[a]->fallible && nd->kind != BP_N_TRY;
        nd->slow |= nd->args[a]->slow;
    }
    nd->slow |= nd->kind == BP_N_CASE || nd->kind == BP_N_COALESCE || nd->kind == BP_N_TRY;
    if (nd->kind == BP_N_CALL && nd->fallible) {
        nd->text = bp_toks_text(b->toks, nd->first, nd->last + 1, &b->e->mem, b->err);
        if (!nd->text)
            return b->err->code;
    }
    if (all_const(nd) && nd->n_args > 0)
        return fold(b, nd, out);
    *out = nd;
    return 0;
}

int bp_node_call(struct bp_bind *b, int tok, const struct bp_call *c, struct bp_node *const *args,
                 int n_args, struct bp_node **out)
{
    struct bp_node *nd = bp_node_new(b, BP_N_CALL, c->type, tok, n_args);

    if (!nd)
        return b->err->code;
    if (n_args > 0)
        memcpy(nd->args, args, (size_t)n_args * sizeof *args);
    nd->run = c->run;
    nd->param = c->param;
    nd->op = c->op;
    nd->fallible = c->fallible;
    nd->strict = !c->lax;
    nd->on_dict = c->on_dict;
    nd->slow = c->slow;
    nd->keep_dict = c->keep_dict;
    return bp_node_finish(b, nd, out);
}

int bp_node_const(struct bp_bind *b, int tok, struct bp_column *value, struct bp_node **out)
{
    struct bp_node *nd = bp_node_new(b, BP_N_CONST, value->type, tok, 0);
    struct bp_column plain;

    if (!nd) {
        bp_column_release(value);
        return b->err->code;
    }
    if (value->dict) {
        if (bp_column_plain(&plain, value, b->err) < 0) {
            bp_column_release(value);
            return b->err->code;
        }
        bp_column_release(value);
        *value = plain;
    }
    nd->value = *value;
    memset(value, 0, sizeof *value);
    nd->next_const = b->e->consts;
    b->e->consts = nd;
    *out = nd;
    return 0;
}

static int const_from(struct bp_bind *b, int tok, struct bp_type t, const void *value, size_t n,
                      struct bp_node **out)
{
    struct bp_builder bd;
    struct bp_column c;
    int rc;

    bp_builder_init(&bd, t);
    rc = bp_type_is_bytes(t) ? bp_builder_add_bytes(&bd, value, n, b->err)
                             : bp_builder_add(&bd, value, b->err);
    if (rc >= 0)
        rc = bp_builder_finish(&bd, &c, b->err);
    bp_builder_release(&bd);
    if (rc < 0)
        return rc;
    return bp_node_const(b, tok, &c, out);
}

int bp_node_const_fixed(struct bp_bind *b, int tok, struct bp_type t, const void *value,
                        struct bp_node **out)
{
    return const_from(b, tok, t, value, 0, out);
}

int bp_node_const_bytes(struct bp_bind *b, int tok, struct bp_type t, const void *p, size_t n,
                        struct bp_node **out)
{
    return const_from(b, tok, t, p, n, out);
}

int bp_node_null(struct bp_bind *b, int tok, struct bp_type t, struct bp_node **out)
{
    struct bp_column c;

    BP_TRY(bp_column_nulls(&c, t, 1, b->err));
    return bp_node_const(b, tok, &c, out);
}

bool bp_node_const_int(const struct bp_node *nd, int64_t *v)
{
    const void *p = nd->value.data;

    if (nd->kind != BP_N_CONST || nd->value.n_nulls)
        return false;
    switch (nd->type.kind) {
    case BP_INT8: *v = *(const int8_t *)p; return true;
    case BP_INT16: *v = *(const int16_t *)p; return true;
    case BP_INT32: *v = *(const int32_t *)p; return true;
    case BP_INT64: *v = *(const int64_t *)p; return true;
    case BP_UINT8: *v = *(const uint8_t *)p; return true;
    case BP_UINT16: *v = *(const uint16_t *)p; return true;
    case BP_UINT32: *v = *(const uint32_t *)p; return true;
    default: return false;
    }
}

bool bp_node_const_text(const struct bp_node *nd, const char **s, size_t *n)
{
    if (nd->kind == BP_N_LITERAL && nd->literal) {
        *s = nd->literal;
        *n = strlen(nd->literal);
        return true;
    }
    if (nd->kind != BP_N_CONST || nd->type.kind != BP_TEXT || nd->value.n_nulls)
        return false;
    *s = (const char *)bp_column_bytes(&nd->value, 0, n);
    return true;
}
