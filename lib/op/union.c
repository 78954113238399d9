/* SPDX-License-Identifier: Apache-2.0 */
/* Several inputs, one after the other, as one table (unite.h). */
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "op/op.h"
#include "op/unite.h"

struct union_all {
    struct bp_union_inputs inputs;
    struct bp_source *ins; /* inputs.n; ops NULL: not open */
    int at;
    struct bp_unite unite; /* the schema of all; its metadata are the first one's */
    int *cols;             /* wanted; NULL: all */
    int n_cols;
    bool begun; /* the input at hand */
    bool pick;  /* the input at hand does not leave the others out itself */
    bool has_condition;
    struct bp_condition condition;
};

static bool same_mark(const struct bp_schema *a, const struct bp_schema *b, const char *key)
{
    const char *ma = bp_schema_meta(a, key), *mb = bp_schema_meta(b, key);

    return ma && mb ? strcmp(ma, mb) == 0 : ma == mb;
}

/* Input i, whose schema was looked at when all were opened. */
static int open_again(struct union_all *u, int i, struct bp_err *err)
{
    struct bp_source *s = &u->ins[i];

    BP_TRY(u->inputs.open(u->inputs.self, i, s, err));
    if (!bp_unite_has(&u->unite, &s->schema) ||
        !same_mark(&u->unite.all, &s->schema, BP_MARK_PARTIAL))
        return bp_fail(err, BP_EDATA, "'%s' was replaced while others were read",
                       s->name ? s->name : "an input");
    return 0;
}

/* What was asked of the union is asked of each input when its turn comes. */
static int begin(struct union_all *u, struct bp_err *err)
{
    struct bp_source *s = &u->ins[u->at];
    const struct bp_condition *c = u->has_condition ? &u->condition : NULL;
    int rc = 0;

    if (!s->ops)
        BP_TRY(open_again(u, u->at, err));
    u->pick = false;
    if (!bp_schema_equal(&u->unite.all, &s->schema))
        return bp_unite_adapt(s, &u->unite.all, u->cols,
                              u->cols ? u->n_cols : u->unite.all.n_fields, c, err);
    if (u->cols)
        rc = bp_source_project(s, u->cols, u->n_cols, err);
    u->pick = rc == BP_DONE;
    if (rc < 0)
        return rc;
    /* a condition is over the columns that are left */
    return c && !u->pick ? bp_source_prune(s, c, err) : 0;
}

static int pick_columns(const struct union_all *u, struct bp_batch *b, struct bp_err *err)
{
    struct bp_batch kept;

    if (bp_batch_init(&kept, u->n_cols, err) < 0) {
        bp_batch_release(b);
        return err->code;
    }
    kept.n_rows = b->n_rows;
    kept.first_row = b->first_row;
    kept.share = b->share;
    for (int i = 0; i < u->n_cols; i++)
        bp_column_ref(&kept.cols[i], &b->cols[u->cols[i]]);
    bp_batch_release(b);
    bp_batch_move(b, &kept);
    return 0;
}

static int union_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct union_all *u = self;
    int rc;

    while (u->at < u->inputs.n) {
        if (!u->begun)
            BP_TRY(begin(u, err));
        u->begun = true;
        rc = bp_source_next(&u->ins[u->at], out, err);
        if (rc == 0 && u->pick)
            return pick_columns(u, out, err);
        if (rc != BP_DONE)
            return rc;
        /* its buffers and files are not needed any more */
        bp_source_free(&u->ins[u->at++]);
        u->begun = false;
    }
    return BP_DONE;
}

/* cols are of what is given now. */
static int union_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct union_all *u = self;
    int *kept = bp_mem_new((size_t)n + 1, sizeof *kept, err);

    if (!kept)
        return err->code;
    for (int i = 0; i < n; i++)
        kept[i] = u->cols ? u->cols[cols[i]] : cols[i];
    bp_mem_free(u->cols);
    u->cols = kept;
    u->n_cols = n;
    return 0;
}

static int union_prune(void *self, const struct bp_condition *c, struct bp_err *err)
{
    struct union_all *u = self;

    (void)err;
    u->has_condition = true;
    u->condition = *c;
    return 0;
}

static void union_free(void *self)
{
    struct union_all *u = self;

    for (int i = 0; u->ins && i < u->inputs.n; i++)
        bp_source_free(&u->ins[i]);
    u->inputs.free(u->inputs.self);
    bp_unite_release(&u->unite);
    bp_mem_free(u->ins);
    bp_mem_free(u->cols);
    bp_mem_free(u);
}

static const struct bp_source_ops union_ops = {
    .next = union_next, .free = union_free, .project = union_project, .prune = union_prune};

/* One input more: its schema, and its marks. */
static int union_fit(struct union_all *u, const struct bp_source *next, struct bp_err *err)
{
    const char *partial = bp_schema_meta(&next->schema, BP_MARK_PARTIAL);
    bool equal = bp_schema_equal(&u->unite.all, &next->schema);

    if (!same_mark(&u->unite.all, &next->schema, BP_MARK_PARTIAL) || (partial && !equal))
        return bp_fail(err, BP_EDATA,
                       "inputs differ: %s and %s are not partial results of one bp-reduce",
                       u->unite.first, next->name ? next->name : "an unnamed input");
    BP_TRY(bp_unite_add(&u->unite, &next->schema, next->name, err));
    if (!same_mark(&u->unite.all, &next->schema, BP_MARK_PARTED))
        return bp_schema_set_meta(&u->unite.all, BP_MARK_PARTED, NULL, err);
    return 0;
}

static int tell_schema(struct union_all *u, struct bp_source *out, struct bp_err *err)
{
    BP_TRY(bp_schema_copy(&out->schema, &u->unite.all, err));
    if (u->inputs.n > 1)
        return bp_schema_set_meta(&out->schema, BP_MARK_SORTED, NULL, err);
    out->name = bp_mem_str(u->unite.first, err);
    return out->name ? 0 : err->code;
}

/* The mark of a share goes when the inputs are shares 0..N-1, once each: then they are
 * the whole. Otherwise the first one's stays, which restricts; batches say the rest. */
static int open_inputs(struct union_all *u, struct bp_source *out, struct bp_err *err)
{
    struct bp_shareset set = {0};
    struct bp_share share;
    int rc = 0;

    for (int i = 0; i < u->inputs.n; i++) {
        struct bp_source *s = &u->ins[i];

        BP_GO(u->inputs.open(u->inputs.self, i, s, err));
        BP_GO(i ? union_fit(u, s, err) : bp_unite_add(&u->unite, &s->schema, s->name, err));
        BP_GO(bp_mark_task(&s->schema, &share, err));
        if (u->inputs.n > 1)
            BP_GO(bp_shareset_add(&set, share, err));
        if (i && u->inputs.again(u->inputs.self, i))
            bp_source_free(s);
    }
    BP_GO(tell_schema(u, out, err));
    if (set.n && bp_shareset_whole(&set))
        BP_GO(bp_schema_set_meta(&out->schema, BP_MARK_TASK, NULL, err));
out:
    bp_shareset_release(&set);
    return rc;
}

int bp_union_inputs_open(struct bp_source *out, const struct bp_union_inputs *ins,
                         struct bp_err *err)
{
    struct union_all *u = bp_mem_new(1, sizeof *u, err);
    int rc = 0;

    *out = (struct bp_source){0};
    if (!u) {
        ins->free(ins->self);
        return err->code;
    }
    u->inputs = *ins;
    u->unite.missing_null = ins->missing_null;
    u->ins = bp_mem_new((size_t)BP_MAX(ins->n, 1), sizeof *u->ins, err);
    BP_GO(u->ins ? 0 : err->code);
    if (ins->n < 1)
        BP_GO(bp_fail(err, BP_EUSAGE, "no input: name a table or pipe one in"));
    BP_GO(open_inputs(u, out, err));
    out->ops = &union_ops;
    out->self = u;
    return 0;
out:
    union_free(u);
    bp_schema_release(&out->schema);
    bp_mem_free(out->name);
    *out = (struct bp_source){0};
    return rc;
}

/* ---- inputs that are open ---- */

struct given {
    struct bp_source *ins;
    int n;
};

static int given_open(void *self, int i, struct bp_source *out, struct bp_err *err)
{
    struct given *g = self;

    (void)err;
    bp_source_move(out, &g->ins[i]);
    return 0;
}

static bool given_again(const void *self, int i)
{
    (void)self;
    (void)i;
    return false;
}

static void given_free(void *self)
{
    struct given *g = self;

    for (int i = 0; i < g->n; i++)
        bp_source_free(&g->ins[i]);
    bp_mem_free(g->ins);
    bp_mem_free(g);
}

int bp_union_open(struct bp_source *out, struct bp_source ins[], int n_ins, struct bp_err *err)
{
    struct bp_union_inputs inputs = {n_ins, false, given_open, given_again, given_free, NULL};
    struct given *g = bp_mem_new(1, sizeof *g, err);

    *out = (struct bp_source){0};
    if (g)
        g->ins = bp_mem_new((size_t)BP_MAX(n_ins, 1), sizeof *g->ins, err);
    if (!g || !g->ins) {
        bp_mem_free(g);
        for (int i = 0; i < n_ins; i++)
            bp_source_free(&ins[i]);
        return err->code;
    }
    for (; g->n < n_ins; g->n++)
        bp_source_move(&g->ins[g->n], &ins[g->n]);
    inputs.self = g;
    return bp_union_inputs_open(out, &inputs, err);
}
