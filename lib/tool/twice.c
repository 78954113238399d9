/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/twice.h"

#include "base/mem.h"
#include "stage/spill.h"

#define COLUMN_BYTES 256 /* of a column of a batch, beside its values */

struct bp_twice {
    const struct bp_schema *schema;
    struct bp_ctx *ctx;
    struct bp_batch *held; /* the first; all that follow are on disk */
    int n_held, cap_held, given;
    int64_t taken_bytes;
    struct bp_spill *spill;
    struct bp_spill_run run;
    struct bp_source rest;
};

int bp_twice_open(struct bp_twice **out, const struct bp_schema *schema, struct bp_ctx *ctx,
                  struct bp_err *err)
{
    struct bp_twice *t = bp_mem_new(1, sizeof *t, err);

    *out = t;
    if (!t)
        return err->code;
    t->schema = schema;
    t->ctx = ctx;
    return 0;
}

void bp_twice_free(struct bp_twice *t)
{
    if (!t)
        return;
    bp_source_free(&t->rest);
    bp_spill_free(t->spill);
    for (int i = 0; i < t->n_held; i++)
        bp_batch_release(&t->held[i]);
    bp_budget_give(&t->ctx->budget, t->taken_bytes);
    bp_mem_free(t->held);
    bp_mem_free(t);
}

static int hold(struct bp_twice *t, const struct bp_batch *b, struct bp_err *err)
{
    struct bp_batch *grown;

    if (t->n_held == t->cap_held) {
        int cap = t->cap_held ? 2 * t->cap_held : 64;

        grown = bp_mem_grow(t->held, (size_t)cap, sizeof *grown, err);
        if (!grown)
            return err->code;
        t->held = grown;
        t->cap_held = cap;
    }
    BP_TRY(bp_batch_ref(&t->held[t->n_held], b, err));
    t->n_held++;
    return 0;
}

int bp_twice_keep(struct bp_twice *t, const struct bp_batch *b, struct bp_err *err)
{
    int64_t bytes = bp_batch_size_bytes(b) + b->n_cols * COLUMN_BYTES;

    if (!t->spill && bp_budget_take(&t->ctx->budget, bytes)) {
        t->taken_bytes += bytes;
        return hold(t, b, err);
    }
    if (!t->spill)
        BP_TRY(bp_spill_open(&t->spill, t->schema, t->ctx, err));
    return bp_spill_put(t->spill, b, err);
}

int bp_twice_next(struct bp_twice *t, struct bp_batch *out, struct bp_err *err)
{
    if (t->given < t->n_held) {
        bp_batch_move(out, &t->held[t->given++]);
        return 0;
    }
    if (!t->spill)
        return BP_DONE;
    if (!t->rest.ops) {
        BP_TRY(bp_spill_end(t->spill, &t->run, err));
        BP_TRY(bp_spill_source(&t->rest, t->spill, &t->run, err));
    }
    return bp_source_next(&t->rest, out, err);
}
