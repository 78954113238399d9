/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a tree. A call evaluates its arguments, joins their NULLs, and hands
 * whole columns to its kernel; the forms that choose between branches live in
 * branch.c. Calls over a dictionary run once per value of it, not per row.
 */
#include "expr/eval.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "expr/bind.h"

#define ARGS_INLINE 8

int bp_run_fail(struct bp_run *r, int64_t i, const char *fmt, ...)
{
    const struct bp_eval *ev = r->ev;
    char msg[1024];
    int64_t row;
    va_list ap;

    if (ev->bad) {
        for (int64_t k = r->all ? 0 : i; k < (r->all ? ev->n : i + 1); k++)
            bp_bit_set(ev->bad, ev->sel ? ev->sel[k] : k);
        return 0;
    }
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    row = ev->in->first_row + (ev->sel ? ev->sel[i] : i) + 1;
    return bp_fail(ev->err, BP_EDATA, "row %lld: %s: %s", (long long)row,
                   r->node->text ? r->node->text : "expression", msg);
}

/* ---- arguments' NULLs ---- */

/* AND of the validity of args into *out (NULL: all valid). */
static int join_valid(const struct bp_vec *args, int n_args, int64_t n, struct bp_block **out,
                      struct bp_err *err)
{
    size_t bytes = (bp_bits_bytes(n) + 7) / 8 * 8;
    struct bp_block *own = NULL;
    int seen = 0;

    *out = NULL;
    for (int a = 0; a < n_args; a++) {
        const struct bp_column *c = &args[a].c;

        if (args[a].one || !c->n_nulls)
            continue;
        if (seen++ == 0) {
            BP_TRY(bp_block_new(&own, bytes + 8, err));
            memcpy(own->data, c->valid, bp_bits_bytes(n));
            continue;
        }
        for (size_t i = 0; i < bp_bits_bytes(n); i++)
            own->data[i] = (uint8_t)(own->data[i] & c->valid[i]);
    }
    *out = own;
    return 0;
}

static int run_strict(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_node *nd = r->node;
    struct bp_err *err = r->ev->err;
    struct bp_block *valid;
    int rc;

    for (int a = 0; a < nd->n_args; a++)
        if (args[a].one && args[a].c.n_nulls)
            return bp_column_nulls(out, nd->type, r->n, err);
    BP_TRY(join_valid(args, nd->n_args, r->n, &valid, err));
    r->valid = valid ? valid->data : NULL;
    rc = nd->run(r, args, out);
    if (rc < 0 || !valid) {
        bp_block_unref(valid);
        return rc;
    }
    if (out->valid)
        for (size_t i = 0; i < bp_bits_bytes(r->n); i++)
            valid->data[i] = (uint8_t)(valid->data[i] & out->valid[i]);
    bp_block_unref(out->own[0]);
    out->own[0] = NULL;
    bp_vec_set_valid(out, valid);
    return 0;
}

static int run_kernel(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int rc;

    memset(out, 0, sizeof *out);
    rc = r->node->strict ? run_strict(r, args, out) : r->node->run(r, args, out);
    if (rc < 0)
        bp_column_release(out);
    return rc;
}

/* ---- dictionaries ---- */

/* The one argument that is not constant, if it is a dictionary worth using. */
static int dict_arg(const struct bp_node *nd, const struct bp_vec *args, int64_t n)
{
    int found = -1;

    for (int a = 0; a < nd->n_args; a++) {
        if (args[a].one)
            continue;
        if (found >= 0 || !args[a].c.dict || args[a].c.dict->values.n_rows > n)
            return -1;
        found = a;
    }
    return found;
}

/* Codes of the column, NULL rows as -1, for a gather. */
static int dict_index(const struct bp_column *c, const int32_t **idx, struct bp_block **own,
                      struct bp_err *err)
{
    const int32_t *codes = c->data;
    int32_t *to;

    *own = NULL;
    *idx = codes;
    if (!c->n_nulls)
        return 0;
    BP_TRY(bp_block_new(own, (size_t)c->n_rows * sizeof *to, err));
    to = (int32_t *)(*own)->data;
    for (int64_t i = 0; i < c->n_rows; i++)
        to[i] = codes[i] | ((int32_t)bp_bit_get(c->valid, i) - 1);
    *idx = to;
    return 0;
}

/* Run over the dictionary's values, then spread the results. *done false: some
 * value failed, perhaps one that no row has. */
static int run_on_dict(struct bp_run *r, struct bp_vec *args, int which, struct bp_column *out,
                       bool *done)
{
    const struct bp_column *c = &args[which].c;
    struct bp_column values = c->dict->values, result = {0};
    struct bp_batch in = {.n_rows = values.n_rows};
    struct bp_err quiet = {0};
    struct bp_eval ev = {.in = &in, .n = values.n_rows, .err = &quiet};
    struct bp_run sub = {.ev = &ev, .node = r->node, .n = values.n_rows};
    struct bp_vec own = args[which];
    struct bp_block *idx_own = NULL;
    const int32_t *idx;
    int rc;

    args[which] = (struct bp_vec){.c = values};
    rc = run_kernel(&sub, args, &result);
    args[which] = own;
    *done = rc >= 0;
    if (rc < 0)
        return 0;
    rc = dict_index(c, &idx, &idx_own, r->ev->err);
    if (rc >= 0)
        rc = bp_column_gather(out, &result, idx, r->n, r->ev->err);
    bp_block_unref(idx_own);
    bp_column_release(&result);
    return rc;
}

static int flatten_dicts(struct bp_vec *args, int n_args, struct bp_err *err)
{
    for (int a = 0; a < n_args; a++) {
        struct bp_column plain;

        if (!args[a].c.dict)
            continue;
        BP_TRY(bp_column_plain(&plain, &args[a].c, err));
        bp_column_release(&args[a].c);
        args[a].c = plain;
    }
    return 0;
}

/* ---- calls ---- */

static int run_call(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *args,
                    struct bp_vec *out)
{
    struct bp_run r = {.ev = ev, .node = nd, .n = ev->n, .all = true};
    bool done = false;
    int which;

    for (int a = 0; a < nd->n_args; a++)
        r.all &= args[a].one;
    if (r.all) {
        r.n = 1;
        out->one = true;
        return run_kernel(&r, args, &out->c);
    }
    which = nd->on_dict ? dict_arg(nd, args, r.n) : -1;
    if (which >= 0) {
        BP_TRY(run_on_dict(&r, args, which, &out->c, &done));
        if (done)
            return 0;
    }
    if (!nd->keep_dict)
        BP_TRY(flatten_dicts(args, nd->n_args, ev->err));
    return run_kernel(&r, args, &out->c);
}

static int eval_call(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out)
{
    struct bp_vec few[ARGS_INLINE], *args = few;
    int rc = 0, a;

    memset(few, 0, sizeof few);
    if (nd->n_args > ARGS_INLINE) {
        args = bp_mem_new((size_t)nd->n_args, sizeof *args, ev->err);
        if (!args)
            return ev->err->code;
    }
    for (a = 0; a < nd->n_args && rc >= 0; a++)
        rc = bp_node_eval(ev, nd->args[a], &args[a]);
    if (rc >= 0)
        rc = run_call(ev, nd, args, out);
    while (a-- > 0)
        bp_vec_release(&args[a]);
    if (args != few)
        bp_mem_free(args);
    return rc;
}

static int eval_column(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out)
{
    const struct bp_column *c = &ev->in->cols[nd->column];

    if (ev->sel)
        return bp_column_gather(&out->c, c, ev->sel, ev->n, ev->err);
    bp_column_ref(&out->c, c);
    return 0;
}

int bp_node_eval(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out)
{
    memset(out, 0, sizeof *out);
    if (ev->n == 0)
        return bp_column_nulls(&out->c, nd->type, 0, ev->err);
    switch (nd->kind) {
    case BP_N_COLUMN: return eval_column(ev, nd, out);
    case BP_N_CONST:
        out->one = true;
        bp_column_ref(&out->c, &nd->value);
        return 0;
    case BP_N_CALL: return eval_call(ev, nd, out);
    case BP_N_AND:
    case BP_N_OR: return bp_eval_logic(ev, nd, out);
    case BP_N_CASE: return bp_eval_case(ev, nd, out);
    case BP_N_COALESCE: return bp_eval_coalesce(ev, nd, out);
    case BP_N_TRY: return bp_eval_try(ev, nd, out);
    default: return bp_fail(ev->err, BP_EUSAGE, "internal: a node of kind %d", nd->kind);
    }
}

/* ---- the public face ---- */

int bp_expr_eval(const struct bp_expr *e, const struct bp_batch *in, struct bp_column *out,
                 struct bp_err *err)
{
    struct bp_eval ev = {.in = in, .n = in->n_rows, .err = err};
    struct bp_vec v;

    BP_TRY(bp_node_eval(&ev, e->root, &v));
    return bp_vec_expand(out, &v, in->n_rows, err);
}

struct bp_type bp_expr_type(const struct bp_expr *e)
{
    return e->root->type;
}

int bp_expr_column(const struct bp_expr *e)
{
    return e->root->kind == BP_N_COLUMN ? e->root->column : -1;
}

void bp_expr_free(struct bp_expr *e)
{
    if (!e)
        return;
    for (struct bp_node *c = e->consts; c; c = c->next_const)
        bp_column_release(&c->value);
    bp_regex_release_held(e->regexes);
    bp_arena_release(&e->mem);
    bp_mem_free(e);
}

static void mark(const struct bp_node *nd, bool *used)
{
    if (nd->kind == BP_N_COLUMN)
        used[nd->column] = true;
    for (int a = 0; a < nd->n_args; a++)
        mark(nd->args[a], used);
}

void bp_expr_mark_columns(const struct bp_expr *e, bool *used)
{
    mark(e->root, used);
}
