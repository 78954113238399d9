/* SPDX-License-Identifier: Apache-2.0 */
#include "expr/decimals.h"

#include "col/narrow.h"

#define WIDE sizeof(bp_int128)
#define HELD sizeof(int64_t)

static int64_t n_values(const struct bp_run *r, const struct bp_vec *arg)
{
    return arg->one ? 1 : r->n;
}

static int64_t scratch_values(const struct bp_run *r, const struct bp_vec *args, int n_args)
{
    int64_t n = bp_type_is_decimal64(r->node->type) ? r->n : 0;

    for (int i = 0; i < n_args; i++)
        if (bp_type_is_decimal64(args[i].c.type))
            n += n_values(r, &args[i]);
    return n;
}

int bp_decimals_start(struct bp_decimals *d, struct bp_run *r, const struct bp_vec *args,
                      int n_args, struct bp_column *out)
{
    int64_t n = scratch_values(r, args, n_args);
    bp_int128 *scratch = NULL;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &d->to, r->ev->err));
    if (n) {
        BP_TRY(bp_block_new(&out->own[2], (size_t)n * WIDE, r->ev->err));
        scratch = (bp_int128 *)(void *)out->own[2]->data;
    }
    for (int i = 0; i < n_args; i++) {
        d->arg[i] = args[i].c.data;
        if (!bp_type_is_decimal64(args[i].c.type))
            continue;
        bp_narrow_widen(args[i].c.data, HELD, WIDE, n_values(r, &args[i]), (uint8_t *)scratch);
        d->arg[i] = scratch;
        scratch += n_values(r, &args[i]);
    }
    if (bp_type_is_decimal64(r->node->type))
        d->to = scratch;
    return 0;
}

void bp_decimals_end(struct bp_decimals *d, struct bp_column *out)
{
    uint8_t *data = out->own[1]->data;

    if (bp_type_is_decimal64(out->type))
        bp_narrow_put(d->to, WIDE, HELD, out->n_rows, data, HELD);
    bp_block_unref(out->own[2]);
    out->own[2] = NULL;
}
