/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a condition be true of any row of a part of which only the least and greatest
 * values are known? Comparisons of a column with a constant are decided by the
 * comparison itself, over the bound that is most in their favour; AND and OR follow
 * from their arguments; of everything else it is not known, so yes.
 */
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

static bool comparison(const struct bp_node *nd, const struct bp_bounds *known)
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
    if (nd->kind == BP_N_CALL && bp_node_is_compare(nd) &&
        ((nd->args[0]->kind == BP_N_COLUMN && nd->args[1]->kind == BP_N_CONST) ||
         (nd->args[0]->kind == BP_N_CONST && nd->args[1]->kind == BP_N_COLUMN)))
        return comparison(nd, known);
    return true;
}

bool bp_expr_may_be_true(const struct bp_expr *e, const struct bp_bounds *known)
{
    return may(e->root, known);
}
