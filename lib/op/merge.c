/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-sort -m: one sorted table out of inputs that are sorted already, which is
 * checked. Rows are given before the inputs end, so what the inputs are shares of
 * is judged by their marks when they are opened: all shares of one table give the
 * whole, inputs of one and the same task give that task's share, the rest is
 * refused.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "op/op.h"
#include "op/partial.h"
#include "op/sort_merge.h"
#include "op/sort_shares.h"

/* An input that keeps the merge's promise about shares. */
struct guard {
    struct bp_source in;
    struct bp_share share; /* what its schema says */
};

struct merge {
    struct guard *guards;
    struct bp_source *ins; /* over the guards */
    int n_ins;
    struct bp_sort_keys keys;
    struct bp_merger merger;
    struct bp_schema schema;
    struct bp_share share; /* of the output */
    int64_t limit, n_rows; /* limit < 0: none */
    bool told;             /* whose share this is */
};

static const char *input_name(const struct bp_source *s)
{
    return s->name ? s->name : "an unnamed input";
}

/* ---- inputs ---- */

static int guard_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct guard *g = self;
    int rc = bp_source_next(&g->in, out, err);

    if (rc == 0 && (out->share.n != g->share.n || out->share.i != g->share.i)) {
        bp_batch_release(out);
        return bp_fail(err, BP_EDATA,
                       "%s goes on with share %d of %d: give -m each share as an input of its own",
                       input_name(&g->in), out->share.i, out->share.n);
    }
    return rc;
}

static void guard_free(void *self)
{
    struct guard *g = self;

    bp_source_free(&g->in);
}

static const struct bp_source_ops guard_ops = {.next = guard_next, .free = guard_free};

/* ---- opening ---- */

static int check_schemas(const struct merge *m, struct bp_err *err)
{
    const struct bp_source *first = &m->guards[0].in;

    for (int i = 0; i < m->n_ins; i++) {
        const struct bp_source *in = &m->guards[i].in;

        BP_TRY(bp_partial_refuse(&in->schema, "bp-sort", err));
        for (int f = 0; f < BP_MIN(in->schema.n_fields, first->schema.n_fields); f++) {
            const struct bp_field *a = &first->schema.fields[f], *b = &in->schema.fields[f];
            char ta[BP_TYPE_NAME_MAX], tb[BP_TYPE_NAME_MAX];

            if (strcmp(a->name, b->name) || !bp_type_equal(a->type, b->type))
                return bp_fail(err, BP_EDATA,
                               "inputs differ: column %d is '%s' %s in %s but '%s' %s in %s", f + 1,
                               a->name, bp_type_name(a->type, ta), input_name(first), b->name,
                               bp_type_name(b->type, tb), input_name(in));
        }
        if (in->schema.n_fields != first->schema.n_fields)
            return bp_fail(err, BP_EDATA, "inputs differ: %s has %d columns, %s has %d",
                           input_name(first), first->schema.n_fields, input_name(in),
                           in->schema.n_fields);
    }
    return 0;
}

/* The share of the result, see above. */
static int judge_shares(struct merge *m, struct bp_err *err)
{
    struct bp_shareset set = {0};
    bool same = true;
    int rc = 0;

    for (int i = 0; i < m->n_ins; i++) {
        struct guard *g = &m->guards[i];

        BP_GO(bp_mark_task(&g->in.schema, &g->share, err));
        same &= g->share.i == m->guards[0].share.i && g->share.n == m->guards[0].share.n;
    }
    if (same) {
        m->share = m->guards[0].share;
        return 0;
    }
    for (int i = 0; i < m->n_ins; i++)
        BP_GO(bp_shareset_add(&set, m->guards[i].share, err));
    rc = bp_sort_shares_check(&set, &m->share, err);
out:
    bp_shareset_release(&set);
    return rc;
}

static bool same_mark(const struct bp_schema *a, const struct bp_schema *b, const char *key)
{
    const char *ma = bp_schema_meta(a, key), *mb = bp_schema_meta(b, key);

    return ma && mb ? strcmp(ma, mb) == 0 : ma == mb;
}

static int make_schema(struct merge *m, struct bp_err *err)
{
    BP_TRY(bp_schema_copy(&m->schema, &m->guards[0].in.schema, err));
    for (int i = 1; i < m->n_ins; i++) {
        const struct bp_schema *s = &m->guards[i].in.schema;

        for (int f = 0; f < s->n_fields; f++) {
            m->schema.fields[f].nullable |= s->fields[f].nullable;
            m->schema.fields[f].dict &= s->fields[f].dict;
        }
        if (!same_mark(&m->schema, s, BP_MARK_PARTED))
            BP_TRY(bp_schema_set_meta(&m->schema, BP_MARK_PARTED, NULL, err));
    }
    BP_TRY(bp_mark_set_task(&m->schema, m->share, err));
    return bp_sort_keys_mark(&m->keys, &m->schema, err);
}

static int bind(struct merge *m, const struct bp_clause *order, struct bp_ctx *ctx,
                struct bp_err *err)
{
    BP_TRY(check_schemas(m, err));
    BP_TRY(judge_shares(m, err));
    BP_TRY(bp_sort_keys_open(&m->keys, order, &m->guards[0].in.schema, err));
    for (int i = 0; i < m->n_ins; i++)
        m->ins[i] = (struct bp_source){
            .ops = &guard_ops, .self = &m->guards[i], .name = m->guards[i].in.name};
    BP_TRY(bp_merger_open(&m->merger, m->ins, m->n_ins, &m->keys, true, ctx->batch_rows, err));
    return make_schema(m, err);
}

/* ---- running ---- */

static int merge_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct merge *m = self;
    int rc = BP_DONE;

    if (m->limit < 0 || m->n_rows < m->limit)
        rc = bp_merger_next(&m->merger, out, err);
    if (rc == BP_DONE && !m->told && m->share.n) {
        m->told = true;
        return bp_sort_shares_empty(&m->schema, m->share, out, err);
    }
    if (rc)
        return rc;
    m->told = true;
    out->share = m->share;
    if (m->limit >= 0 && out->n_rows > m->limit - m->n_rows) {
        struct bp_batch cut;

        rc = bp_batch_slice(&cut, out, 0, m->limit - m->n_rows, err);
        bp_batch_release(out);
        if (rc < 0)
            return rc;
        bp_batch_move(out, &cut);
    }
    m->n_rows += out->n_rows;
    return 0;
}

static void merge_free(void *self)
{
    struct merge *m = self;

    bp_merger_release(&m->merger);
    for (int i = 0; i < m->n_ins; i++)
        bp_source_free(&m->guards[i].in);
    bp_sort_keys_release(&m->keys);
    bp_schema_release(&m->schema);
    bp_mem_free(m->guards);
    bp_mem_free(m->ins);
    bp_mem_free(m);
}

static const struct bp_source_ops merge_ops = {.next = merge_next, .free = merge_free};

/* The inputs are moved into the merge, or freed. */
static struct merge *new_merge(struct bp_source ins[], int n_ins, struct bp_err *err)
{
    struct merge *m = bp_mem_new(1, sizeof *m, err);

    if (m) {
        m->guards = bp_mem_new((size_t)n_ins, sizeof *m->guards, err);
        m->ins = bp_mem_new((size_t)n_ins, sizeof *m->ins, err);
    }
    if (!m || !m->guards || !m->ins) {
        for (int i = 0; i < n_ins; i++)
            bp_source_free(&ins[i]);
        if (m)
            merge_free(m);
        return NULL;
    }
    for (int i = 0; i < n_ins; i++)
        bp_source_move(&m->guards[i].in, &ins[i]);
    m->n_ins = n_ins;
    return m;
}

int bp_merge_open(struct bp_source *out, struct bp_source ins[], int n_ins,
                  const struct bp_clause *order, int64_t n_rows, struct bp_ctx *ctx,
                  struct bp_err *err)
{
    struct merge *m;
    int rc;

    *out = (struct bp_source){0};
    if (n_ins < 1)
        return bp_fail(err, BP_EUSAGE, "no input to merge");
    m = new_merge(ins, n_ins, err);
    if (!m)
        return err->code;
    m->limit = n_rows;
    BP_GO(bind(m, order, ctx, err));
    BP_GO(bp_schema_copy(&out->schema, &m->schema, err));
    out->ops = &merge_ops;
    out->self = m;
    return 0;
out:
    merge_free(m);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}
