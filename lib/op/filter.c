/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-filter: the rows for which a clause is true, in input order. A batch of
 * which all rows pass is handed on untouched; all marks stay true of a subset.
 * Rows of which the input knows that they do not pass are not read.
 */
#include "base/mem.h"
#include "flow/each.h"
#include "op/op.h"
#include "op/partial.h"

struct filter {
    struct bp_source in;
    struct bp_each *each; /* the condition over a batch */
    struct bp_expr *where;
    struct bp_share last;
    bool started;
};

/* Fills out with the rows of in that pass. */
static int filter_batch(void *self, struct bp_batch *in, struct bp_batch *out, struct bp_err *err)
{
    const struct filter *f = self;
    struct bp_block *b = NULL;
    int32_t *sel;
    int64_t n = 0;
    int rc;

    BP_TRY(bp_block_new(&b, (size_t)in->n_rows * sizeof *sel, err));
    sel = (int32_t *)(void *)b->data;
    BP_GO(bp_expr_select(f->where, in, sel, &n, err));
    if (n == in->n_rows) {
        bp_batch_move(out, in);
        goto out;
    }
    BP_GO(bp_batch_gather(out, in, sel, n, err));
    out->first_row = in->first_row;
    out->share = in->share;
out:
    bp_block_unref(b);
    return rc;
}

static int filter_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct filter *f = self;
    bool new_share;
    int rc;

    for (;;) {
        rc = bp_each_next(f->each, &f->in, out, err);
        if (rc)
            return rc;
        new_share = out->share.n > 0 &&
                    (!f->started || out->share.i != f->last.i || out->share.n != f->last.n);
        f->started = true;
        f->last = out->share;
        if (out->n_rows || new_share)
            return 0;
        bp_batch_release(out);
    }
}

static void filter_free(void *self)
{
    struct filter *f = self;

    bp_each_free(f->each); /* first: it runs the condition */
    bp_source_free(&f->in);
    bp_expr_free(f->where);
    bp_mem_free(f);
}

/* ---- what the input is told ---- */

static bool may_pass(void *ctx, const struct bp_bounds *known)
{
    return bp_expr_may_be_true(ctx, known);
}

static void mark_used(void *ctx, bool *used)
{
    bp_expr_mark_columns(ctx, used);
}

static int select_rows(void *ctx, const struct bp_batch *rows, int32_t *sel, int64_t *n,
                       struct bp_err *err)
{
    return bp_expr_select(ctx, rows, sel, n, err);
}

static const struct bp_source_ops filter_ops = {.next = filter_next, .free = filter_free};

int bp_filter_open(struct bp_source *out, struct bp_source *in, const struct bp_clause *where,
                   struct bp_ctx *ctx, struct bp_err *err)
{
    struct bp_condition condition = {.may = may_pass, .mark = mark_used, .select = select_rows};
    struct filter *f = bp_mem_new(1, sizeof *f, err);
    int rc = 0;

    *out = (struct bp_source){0};
    if (!f) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&f->in, in);
    BP_GO(bp_partial_refuse(&f->in.schema, "bp-filter", err));
    BP_GO(bp_expr_parse_where(where, &f->in.schema, &f->where, err));
    BP_GO(bp_each_open(&f->each, bp_each_threads(ctx, &f->in.schema, &f->in.schema),
                       BP_EACH_WORTH_NS, filter_batch, f, err));
    condition.ctx = f->where;
    BP_GO(bp_source_prune(&f->in, &condition, err));
    BP_GO(bp_schema_copy(&out->schema, &f->in.schema, err));
    if (f->in.name) {
        out->name = bp_mem_str(f->in.name, err);
        if (!out->name) {
            rc = err->code;
            goto out;
        }
    }
    out->ops = &filter_ops;
    out->self = f;
    return 0;
out:
    filter_free(f);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}
