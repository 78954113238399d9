/* SPDX-License-Identifier: Apache-2.0 */
/* Several inputs of one logical schema, one after the other. */
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "op/op.h"

struct union_all {
    struct bp_union_inputs inputs;
    struct bp_source *ins; /* inputs.n; ops NULL: not open */
    int at;
    struct bp_schema first; /* of input 0 */
    char *first_name;
    int *cols; /* wanted; NULL: all */
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
    if (!bp_schema_equal(&u->first, &s->schema) ||
        !same_mark(&u->first, &s->schema, BP_MARK_PARTIAL))
        return bp_fail(err, BP_EDATA, "'%s' was replaced while others were read",
                       s->name ? s->name : "an input");
    return 0;
}

/* What was asked of the union is asked of each input when its turn comes. */
static int begin(struct union_all *u, struct bp_err *err)
{
    struct bp_source *s = &u->ins[u->at];
    int rc = 0;

    if (!s->ops)
        BP_TRY(open_again(u, u->at, err));
    if (u->cols)
        rc = bp_source_project(s, u->cols, u->n_cols, err);
    u->pick = rc == BP_DONE;
    if (rc < 0)
        return rc;
    /* bounds are of the columns that are left */
    return u->has_condition && !u->pick ? bp_source_prune(s, &u->condition, err) : 0;
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
    bp_schema_release(&u->first);
    bp_mem_free(u->first_name);
    bp_mem_free(u->ins);
    bp_mem_free(u->cols);
    bp_mem_free(u);
}

static const struct bp_source_ops union_ops = {
    .next = union_next, .free = union_free, .project = union_project, .prune = union_prune};

static const char *name_or(const char *name)
{
    return name ? name : "an unnamed input";
}

/* BP_EDATA that names the first difference and both inputs. */
static int union_differ(const struct union_all *u, const struct bp_source *b, struct bp_err *err)
{
    const struct bp_schema *sa = &u->first, *sb = &b->schema;
    const char *a_name = name_or(u->first_name), *b_name = name_or(b->name);
    char ta[BP_TYPE_NAME_MAX], tb[BP_TYPE_NAME_MAX];
    int n = BP_MIN(sa->n_fields, sb->n_fields), i;

    for (i = 0; i < n; i++) {
        const struct bp_field *fa = &sa->fields[i], *fb = &sb->fields[i];

        if (strcmp(fa->name, fb->name) != 0)
            return bp_fail(err, BP_EDATA, "inputs differ: column %d is '%s' in %s but '%s' in %s",
                           i + 1, fa->name, a_name, fb->name, b_name);
        if (!bp_type_equal(fa->type, fb->type))
            return bp_fail(err, BP_EDATA,
                           "inputs differ: column '%s' is %s in %s but %s in %s; "
                           "give both the same type (bp-map -a, or -s when reading)",
                           fa->name, bp_type_name(fa->type, ta), a_name, bp_type_name(fb->type, tb),
                           b_name);
    }
    if (sa->n_fields < sb->n_fields)
        return bp_fail(err, BP_EDATA, "inputs differ: column '%s' of %s is not in %s",
                       sb->fields[n].name, b_name, a_name);
    return bp_fail(err, BP_EDATA, "inputs differ: column '%s' of %s is not in %s",
                   sa->fields[n].name, a_name, b_name);
}

/* One input's schema against the united one so far. */
static int union_fit(struct bp_schema *all, const struct union_all *u, const struct bp_source *next,
                     struct bp_err *err)
{
    if (!bp_schema_equal(&u->first, &next->schema))
        return union_differ(u, next, err);
    if (!same_mark(&u->first, &next->schema, BP_MARK_PARTIAL))
        return bp_fail(err, BP_EDATA,
                       "inputs differ: %s and %s are not partial results of one bp-reduce",
                       name_or(u->first_name), name_or(next->name));
    for (int i = 0; i < all->n_fields; i++) {
        all->fields[i].nullable |= next->schema.fields[i].nullable;
        all->fields[i].dict &= next->schema.fields[i].dict;
    }
    if (!same_mark(all, &next->schema, BP_MARK_PARTED))
        BP_TRY(bp_schema_set_meta(all, BP_MARK_PARTED, NULL, err));
    return 0;
}

static int keep_first(struct union_all *u, struct bp_source *out, struct bp_err *err)
{
    BP_TRY(bp_schema_copy(&u->first, &u->ins[0].schema, err));
    BP_TRY(bp_schema_copy(&out->schema, &u->first, err));
    if (u->inputs.n > 1)
        BP_TRY(bp_schema_set_meta(&out->schema, BP_MARK_SORTED, NULL, err));
    if (!u->ins[0].name)
        return 0;
    u->first_name = bp_mem_str(u->ins[0].name, err);
    if (u->inputs.n == 1)
        out->name = bp_mem_str(u->ins[0].name, err);
    return err->code;
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
        BP_GO(i ? union_fit(&out->schema, u, s, err) : keep_first(u, out, err));
        BP_GO(bp_mark_task(&s->schema, &share, err));
        if (u->inputs.n > 1)
            BP_GO(bp_shareset_add(&set, share, err));
        if (i && u->inputs.again(u->inputs.self, i))
            bp_source_free(s);
    }
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
    struct bp_union_inputs inputs = {n_ins, given_open, given_again, given_free, NULL};
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
