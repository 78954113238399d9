/* SPDX-License-Identifier: Apache-2.0 */
/* greatest, least: the argument of each row that is largest or smallest; NULLs are
 * passed over. */
#include "col/key.h"
#include "expr/function.h"

/* Rows of the winner: argument << 32 | row in it. */
static void pick(struct bp_run *r, const struct bp_vec *args, uint64_t *ref)
{
    int sign = r->node->op ? 1 : -1;

    for (int64_t i = 0; i < r->n; i++) {
        int best = -1;
        int64_t best_row = 0;

        for (int a = 0; a < r->node->n_args; a++) {
            int64_t row = args[a].one ? 0 : i;

            if (bp_column_is_null(&args[a].c, row))
                continue;
            if (best < 0 || sign * bp_value_compare(&args[a].c, row, &args[best].c, best_row) > 0) {
                best = a;
                best_row = row;
            }
        }
        ref[i] = best < 0 ? UINT64_MAX : (uint64_t)best << 32 | (uint64_t)best_row;
    }
}

/* op: 1 for the greatest. */
static int run_choice(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_column **src;
    struct bp_block *refs;
    int rc;

    src = bp_mem_new((size_t)r->node->n_args, sizeof *src, r->ev->err);
    if (!src)
        return r->ev->err->code;
    for (int a = 0; a < r->node->n_args; a++)
        src[a] = &args[a].c;
    rc = bp_block_new(&refs, (size_t)r->n * sizeof(uint64_t), r->ev->err);
    if (rc >= 0) {
        pick(r, args, (uint64_t *)(void *)refs->data);
        rc = bp_column_gather_many(out, src, r->node->n_args, (const uint64_t *)(void *)refs->data,
                                   r->n, r->ev->err);
        bp_block_unref(refs);
    }
    bp_mem_free(src);
    return rc;
}

static int bind_choice(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    return bp_unify(b, tok, "the arguments", args, *n, 1, &c->type);
}

static const struct bp_fn fns[] = {
    {.name = "greatest",
     .args = {BP_RAW, BP_MORE},
     .result = BP_ANY,
     .flags = BP_FN_LAX,
     .op = 1,
     .run = run_choice,
     .bind = bind_choice},
    {.name = "least",
     .args = {BP_RAW, BP_MORE},
     .result = BP_ANY,
     .flags = BP_FN_LAX,
     .run = run_choice,
     .bind = bind_choice},
};

const struct bp_fn_table bp_fns_choice = {fns, BP_COUNT_OF(fns)};
