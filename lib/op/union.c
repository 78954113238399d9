/* SPDX-License-Identifier: Apache-2.0 */
/* Several inputs of one logical schema, one after the other. */
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "op/op.h"

struct union_all {
    struct bp_source *ins;
    int n_ins, at;
};

static int union_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct union_all *u = self;
    int rc;

    while (u->at < u->n_ins) {
        rc = bp_source_next(&u->ins[u->at], out, err);
        if (rc != BP_DONE)
            return rc;
        /* its buffers and files are not needed any more */
        bp_source_free(&u->ins[u->at++]);
    }
    return BP_DONE;
}

static void union_free(void *self)
{
    struct union_all *u = self;

    for (int i = 0; i < u->n_ins; i++)
        bp_source_free(&u->ins[i]);
    bp_mem_free(u->ins);
    bp_mem_free(u);
}

static const struct bp_source_ops union_ops = {.next = union_next, .free = union_free};

static const char *input_name(const struct bp_source *s)
{
    return s->name ? s->name : "an unnamed input";
}

/* BP_EDATA that names the first difference and both inputs. */
static int union_differ(const struct bp_source *a, const struct bp_source *b, struct bp_err *err)
{
    const struct bp_schema *sa = &a->schema, *sb = &b->schema;
    char ta[BP_TYPE_NAME_MAX], tb[BP_TYPE_NAME_MAX];
    int n = BP_MIN(sa->n_fields, sb->n_fields), i;

    for (i = 0; i < n; i++) {
        const struct bp_field *fa = &sa->fields[i], *fb = &sb->fields[i];

        if (strcmp(fa->name, fb->name) != 0)
            return bp_fail(err, BP_EDATA, "inputs differ: column %d is '%s' in %s but '%s' in %s",
                           i + 1, fa->name, input_name(a), fb->name, input_name(b));
        if (!bp_type_equal(fa->type, fb->type))
            return bp_fail(err, BP_EDATA,
                           "inputs differ: column '%s' is %s in %s but %s in %s; "
                           "give both the same type (bp-map -a, or -s when reading)",
                           fa->name, bp_type_name(fa->type, ta), input_name(a),
                           bp_type_name(fb->type, tb), input_name(b));
    }
    if (sa->n_fields < sb->n_fields)
        return bp_fail(err, BP_EDATA, "inputs differ: column '%s' of %s is not in %s",
                       sb->fields[n].name, input_name(b), input_name(a));
    return bp_fail(err, BP_EDATA, "inputs differ: column '%s' of %s is not in %s",
                   sa->fields[n].name, input_name(a), input_name(b));
}

static bool same_mark(const struct bp_schema *a, const struct bp_schema *b, const char *key)
{
    const char *ma = bp_schema_meta(a, key), *mb = bp_schema_meta(b, key);

    return ma && mb ? strcmp(ma, mb) == 0 : ma == mb;
}

/* One input's schema against the united one so far. */
static int union_fit(struct bp_schema *all, const struct bp_source *first,
                     const struct bp_source *next, struct bp_err *err)
{
    if (!bp_schema_equal(&first->schema, &next->schema))
        return union_differ(first, next, err);
    if (!same_mark(&first->schema, &next->schema, BP_MARK_PARTIAL))
        return bp_fail(err, BP_EDATA,
                       "inputs differ: %s and %s are not partial results of one bp-reduce",
                       input_name(first), input_name(next));
    for (int i = 0; i < all->n_fields; i++) {
        all->fields[i].nullable |= next->schema.fields[i].nullable;
        all->fields[i].dict &= next->schema.fields[i].dict;
    }
    if (!same_mark(all, &next->schema, BP_MARK_PARTED))
        BP_TRY(bp_schema_set_meta(all, BP_MARK_PARTED, NULL, err));
    return 0;
}

/* The mark of a share goes when the inputs are shares 0..N-1, once each: then they are
 * the whole. Otherwise the first one's stays, which restricts; batches say the rest. */
static int union_task(struct bp_schema *all, const struct union_all *u, struct bp_err *err)
{
    struct bp_shareset set = {0};
    struct bp_share share;
    int rc = 0;

    for (int i = 0; i < u->n_ins; i++) {
        BP_GO(bp_mark_task(&u->ins[i].schema, &share, err));
        BP_GO(bp_shareset_add(&set, share, err));
    }
    if (set.n && bp_shareset_whole(&set))
        BP_GO(bp_schema_set_meta(all, BP_MARK_TASK, NULL, err));
out:
    bp_shareset_release(&set);
    return rc;
}

static int union_schema(struct bp_source *out, const struct union_all *u, struct bp_err *err)
{
    BP_TRY(bp_schema_copy(&out->schema, &u->ins[0].schema, err));
    if (u->n_ins == 1)
        return 0;
    BP_TRY(bp_schema_set_meta(&out->schema, BP_MARK_SORTED, NULL, err));
    for (int i = 1; i < u->n_ins; i++)
        BP_TRY(union_fit(&out->schema, &u->ins[0], &u->ins[i], err));
    return union_task(&out->schema, u, err);
}

int bp_union_open(struct bp_source *out, struct bp_source ins[], int n_ins, struct bp_err *err)
{
    struct union_all *u = bp_mem_new(1, sizeof *u, err);
    int rc = 0;

    *out = (struct bp_source){0};
    if (u)
        u->ins = bp_mem_new((size_t)BP_MAX(n_ins, 1), sizeof *u->ins, err);
    if (!u || !u->ins) {
        bp_mem_free(u);
        for (int i = 0; i < n_ins; i++)
            bp_source_free(&ins[i]);
        return err->code;
    }
    u->n_ins = n_ins;
    for (int i = 0; i < n_ins; i++)
        bp_source_move(&u->ins[i], &ins[i]);
    if (n_ins < 1) {
        rc = bp_fail(err, BP_EUSAGE, "no input: name a table or pipe one in");
        goto out;
    }
    BP_GO(union_schema(out, u, err));
    if (n_ins == 1 && u->ins[0].name) {
        out->name = bp_mem_str(u->ins[0].name, err);
        rc = out->name ? 0 : err->code;
        if (rc < 0)
            goto out;
    }
    out->ops = &union_ops;
    out->self = u;
    return 0;
out:
    union_free(u);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}
