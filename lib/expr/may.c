/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a condition be true of any row of a part of which something is known? By bounds,
 * comparisons of a column with a constant are decided by the comparison itself, over the
 * bound that is most in their favour; AND and OR follow from their arguments. Where that
 * leaves a test of equality open, it is asked whether the value is there at all (Bloom
 * filters); and a test of one column whose different values are known (dictionaries) is
 * run over them. Of everything else it is not known, so yes.
 */
#include "col/key.h"
#include "expr/bind.h"
#include "expr/node.h"

/* nd over the one row of b; true also for NULL, and where it cannot be computed. */
static bool not_false(const struct bp_node *nd, const struct bp_batch *b)
{
    struct bp_err quiet = {0};
    struct bp_eval ev = {.in = b, .n = 1, .err = &quiet};
    struct bp_vec v;
    bool yes;

    if (bp_node_eval(&ev, nd, &v) < 0)
        return true;
    yes = bp_column_is_null(&v.c, 0) || bp_bit_get(v.c.data, 0);
    bp_vec_release(&v);
    return yes;
}

static bool by_op(const struct bp_node *nd, uint8_t op, const struct bp_batch *b)
{
    struct bp_node as = *nd;

    as.op = op;
    return not_false(&as, b);
}

/* ---- bounds ---- */

static bool in_bounds(const struct bp_node *nd, const struct bp_bounds *known)
{
    bool swapped = nd->args[0]->kind == BP_N_CONST; /* c < column is column > c */

    switch (nd->op) {
    case BP_EQ:
        return by_op(nd, swapped ? BP_GE : BP_LE, known->low) &&
               by_op(nd, swapped ? BP_LE : BP_GE, known->high);
    case BP_LT:
    case BP_LE: return not_false(nd, swapped ? known->high : known->low);
    case BP_GT:
    case BP_GE: return not_false(nd, swapped ? known->low : known->high);
    default: return true;
    }
}

static bool between(const struct bp_column *low, const struct bp_column *v, int64_t i,
                    const struct bp_column *high)
{
    return (bp_column_is_null(low, 0) || bp_value_compare(low, 0, v, i) <= 0) &&
           (bp_column_is_null(high, 0) || bp_value_compare(v, i, high, 0) <= 0);
}

static bool is_lacked(const struct bp_bounds *known, int col, const struct bp_column *values,
                      int64_t i)
{
    struct bp_err quiet = {0};
    struct bp_column one = {0};
    bool no = false;

    if (known->lacks && bp_column_slice(&one, values, i, 1, &quiet) == 0)
        no = known->lacks(known->self, col, &one);
    bp_column_release(&one);
    return no;
}

/* ---- tests of one column against constants ---- */

static int null_knowledge(const struct bp_bounds *known, int col)
{
    return known->nulls ? known->nulls[col] : BP_NULLS_UNKNOWN;
}

static bool comparison(const struct bp_node *nd, const struct bp_bounds *known)
{
    bool swapped = nd->args[0]->kind == BP_N_CONST;
    int col = nd->args[swapped]->column;
    const struct bp_column *value = &nd->args[!swapped]->value;

    if (null_knowledge(known, col) == BP_NULLS_ALL || value->n_nulls)
        return false;
    return in_bounds(nd, known) && !(nd->op == BP_EQ && is_lacked(known, col, value, 0));
}

/* x IN (a table of constants): one of them in bounds, and there? */
static bool one_of(const struct bp_node *nd, const struct bp_column *values,
                   const struct bp_bounds *known)
{
    int col = nd->args[0]->column;

    if (null_knowledge(known, col) == BP_NULLS_ALL)
        return false;
    for (int64_t i = 0; i < values->n_rows; i++)
        if (between(&known->low->cols[col], values, i, &known->high->cols[col]) &&
            !is_lacked(known, col, values, i))
            return true;
    return false;
}

static bool is_plain_compare(const struct bp_node *nd)
{
    return bp_node_is_compare(nd) &&
           ((nd->args[0]->kind == BP_N_COLUMN && nd->args[1]->kind == BP_N_CONST) ||
            (nd->args[0]->kind == BP_N_CONST && nd->args[1]->kind == BP_N_COLUMN));
}

/* Decided by bounds and filters; true: not decided. */
static bool by_facts(const struct bp_node *nd, const struct bp_bounds *known)
{
    const struct bp_column *values = bp_node_in_values(nd);
    bool is_null;

    if (nd->kind != BP_N_CALL || nd->n_args < 1)
        return true;
    if (is_plain_compare(nd))
        return comparison(nd, known);
    if (nd->args[0]->kind != BP_N_COLUMN)
        return true;
    if (values)
        return one_of(nd, values, known);
    if (bp_node_is_null_test(nd, &is_null))
        return null_knowledge(known, nd->args[0]->column) !=
               (is_null ? BP_NULLS_NONE : BP_NULLS_ALL);
    return true;
}

/* ---- all values of a column ---- */

/* The one column that nd reads; -1: none, -2: several. */
static int only_column(const struct bp_node *nd)
{
    int found = nd->kind == BP_N_COLUMN ? nd->column : -1;

    for (int i = 0; i < nd->n_args; i++) {
        int c = only_column(nd->args[i]);

        if (c == -2 || (c >= 0 && found >= 0 && c != found))
            return -2;
        found = c >= 0 ? c : found;
    }
    return found;
}

/* true of one of rows [0, n) of a batch that has only column col? */
static bool true_of_any(const struct bp_node *nd, int n_cols, int col, const struct bp_column *c)
{
    struct bp_err quiet = {0};
    struct bp_batch b = {0};
    struct bp_eval ev = {.in = &b, .n = c->n_rows, .err = &quiet};
    struct bp_vec v;
    bool yes = true;

    if (bp_batch_init(&b, n_cols, &quiet) < 0)
        return true;
    b.n_rows = c->n_rows;
    bp_column_ref(&b.cols[col], c);
    if (bp_node_eval(&ev, nd, &v) == 0) {
        yes = false;
        for (int64_t i = 0; i < v.c.n_rows && !yes; i++)
            yes = !bp_column_is_null(&v.c, i) && bp_bit_get(v.c.data, i);
        bp_vec_release(&v);
    }
    bp_batch_release(&b);
    return yes;
}

/* Values of text are worth a look whatever the test; of others only where bounds say
 * little: equality. */
static bool is_worth(const struct bp_node *nd, int col, const struct bp_bounds *known)
{
    return known->values && col >= 0 && nd->kind == BP_N_CALL &&
           (known->low->cols[col].type.kind == BP_TEXT || bp_node_in_values(nd) ||
            (is_plain_compare(nd) && nd->op == BP_EQ));
}

static bool by_values(const struct bp_node *nd, const struct bp_bounds *known)
{
    int col = only_column(nd);
    const struct bp_column *values =
        is_worth(nd, col, known) ? known->values(known->self, col) : NULL;
    struct bp_column null = {0};
    struct bp_err quiet = {0};
    bool yes;

    if (!values || true_of_any(nd, known->low->n_cols, col, values))
        return true;
    if (null_knowledge(known, col) == BP_NULLS_NONE)
        return false;
    yes = bp_column_nulls(&null, values->type, 1, &quiet) < 0 ||
          true_of_any(nd, known->low->n_cols, col, &null);
    bp_column_release(&null);
    return yes;
}

/* ---- the tree ---- */

static bool may(const struct bp_node *nd, const struct bp_bounds *known)
{
    bool all = true, any = false;

    if (nd->kind == BP_N_AND || nd->kind == BP_N_OR) {
        for (int i = 0; i < nd->n_args; i++) {
            bool yes = may(nd->args[i], known);

            all &= yes;
            any |= yes;
        }
        return nd->kind == BP_N_AND ? all : any;
    }
    if (nd->kind == BP_N_CONST)
        return nd->value.n_nulls == 0 && bp_bit_get(nd->value.data, 0);
    return by_facts(nd, known) && by_values(nd, known);
}

bool bp_expr_may_be_true(const struct bp_expr *e, const struct bp_bounds *known)
{
    return may(e->root, known);
}
